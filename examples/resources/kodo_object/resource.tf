resource "kodo_bucket" "assets" {
  name   = "acme-assets"
  region = "z0"
}

# A file. A plan notices when its bytes change, here or in Kodo.
resource "kodo_object" "logo" {
  bucket = kodo_bucket.assets.name
  key    = "img/logo.svg"
  source = "${path.module}/logo.svg"
}

# Text that the configuration makes.
resource "kodo_object" "settings" {
  bucket       = kodo_bucket.assets.name
  key          = "settings.json"
  content      = jsonencode({ theme = "dark", logo = kodo_object.logo.key, logo_etag = kodo_object.logo.etag })
  content_type = "application/json"
}

# Bytes that the configuration makes.
resource "kodo_object" "pixel" {
  bucket         = kodo_bucket.assets.name
  key            = "img/pixel.gif"
  content_base64 = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
}

# Headers, metadata, storage class and lifetime change in place, without sending
# the bytes again.
resource "kodo_object" "report" {
  bucket        = kodo_bucket.assets.name
  key           = "reports/2025.csv"
  content       = "month,visitors\n01,12840\n"
  storage_class = "IA"

  cache_control       = "private, max-age=86400"
  content_disposition = "attachment; filename=\"visitors-2025.csv\""
  metadata            = { department = "harbour" }

  transition        = { archive_ir_days = 90 }
  delete_after_days = 365
}
