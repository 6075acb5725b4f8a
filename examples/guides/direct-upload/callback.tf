variable "callback_url" {
  description = "Where your server is told of uploads."
  type        = string
}

resource "kodo_bucket" "uploads" {
  name   = "acme-uploads"
  region = "z0"
}

# Kodo chooses the key, tells the server, and hands its answer to the browser.
data "kodo_upload_token" "document" {
  bucket         = kodo_bucket.uploads.name
  region         = kodo_bucket.uploads.region
  save_key       = "documents/$(etag)$(ext)"
  force_save_key = true
  max_size       = 20 * 1024 * 1024
  end_user       = "user-42"

  callback = {
    urls      = [var.callback_url]
    body      = "{\"key\":$(key),\"size\":$(fsize),\"user\":$(endUser)}"
    body_type = "application/json"
  }
}

output "upload_url" {
  value = data.kodo_upload_token.document.upload_url
}

output "token" {
  value     = data.kodo_upload_token.document.token
  sensitive = true
}
