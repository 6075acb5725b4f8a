resource "kodo_bucket" "config" {
  name   = "acme-config"
  region = "z0"
}

resource "kodo_object" "settings" {
  bucket  = kodo_bucket.config.name
  key     = "settings.json"
  content = jsonencode({ theme = "dark" })
}

# What Kodo says of the object, and its content, also from a private bucket.
data "kodo_object" "settings" {
  bucket        = kodo_bucket.config.name
  key           = kodo_object.settings.key
  download_body = true
}

output "theme" {
  value = jsondecode(data.kodo_object.settings.body).theme
}
