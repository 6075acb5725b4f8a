resource "kodo_bucket" "assets" {
  name   = "acme-assets"
  region = "z0"
}

# Mostly a bucket that another configuration made.
data "kodo_bucket" "assets" {
  name = kodo_bucket.assets.name
}

output "domain" {
  value = data.kodo_bucket.assets.domains[0]
}
