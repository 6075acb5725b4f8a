resource "kodo_bucket" "uploads" {
  name   = "acme-uploads"
  region = "z0"
}

# Pictures of user 42: 1 KiB to 5 MiB, whatever the browser says that they are.
data "kodo_upload_token" "picture" {
  bucket      = kodo_bucket.uploads.name
  region      = kodo_bucket.uploads.region
  key_prefix  = "users/42/"
  min_size    = 1024
  max_size    = 5 * 1024 * 1024
  mime_types  = ["image/png", "image/jpeg"]
  detect_mime = "CONTENT"
  expires_in  = "15m"
  window      = "15m"

  return = {
    body = "{\"key\":$(key),\"size\":$(fsize),\"type\":$(mimeType)}"
  }
}

output "upload_url" {
  value = data.kodo_upload_token.picture.upload_url
}

output "token" {
  value     = data.kodo_upload_token.picture.token
  sensitive = true
}
