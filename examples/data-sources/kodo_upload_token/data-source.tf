resource "kodo_bucket" "uploads" {
  name   = "acme-uploads"
  region = "z0"
}

# Pictures of one user, of at most 10 MiB, whatever the browser says that they are.
data "kodo_upload_token" "avatar" {
  bucket      = kodo_bucket.uploads.name
  region      = kodo_bucket.uploads.region
  key_prefix  = "users/42/"
  max_size    = 10 * 1024 * 1024
  mime_types  = ["image/*"]
  detect_mime = "CONTENT"
  expires_in  = "12h"
  window      = "24h"

  return = {
    body = jsonencode({ key = "$(key)", type = "$(mimeType)" })
  }
}
