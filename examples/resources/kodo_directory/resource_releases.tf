variable "release" {
  type    = string
  default = "2026-11-26"
}

resource "kodo_bucket" "docs" {
  name   = "acme-docs"
  region = "z0"
}

# Each release beside the ones before: another prefix publishes a new one, and
# ABANDON leaves the old one in the bucket until nobody needs it.
resource "kodo_directory" "release" {
  bucket          = kodo_bucket.docs.name
  prefix          = "releases/${var.release}/"
  source_dir      = "${path.module}/public"
  exclude         = ["**/*.map", "drafts"]
  deletion_policy = "DELETE" # ABANDON where releases stay

  lifecycle {
    create_before_destroy = true
  }
}

# What visitors are sent to changes when the release is complete.
resource "kodo_object" "current" {
  bucket  = kodo_bucket.docs.name
  key     = "current.json"
  content = jsonencode({ prefix = kodo_directory.release.prefix })
}
