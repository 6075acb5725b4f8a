# Private: its objects are downloaded with signed URLs only.
resource "kodo_bucket" "reports" {
  name   = "acme-reports"
  region = "z0"

  tags = {
    team = "finance"
    env  = "production"
  }
}
