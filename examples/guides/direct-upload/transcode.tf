resource "kodo_bucket" "uploads" {
  name   = "acme-uploads"
  region = "z0"
}

locals {
  original = provider::kodo::object_key("videos", "user-42", "2027-01-31T08:00:00Z", "clip.mov")
}

# One video, under a key that only this token can write, and a smaller copy of it.
data "kodo_upload_token" "video" {
  bucket      = kodo_bucket.uploads.name
  region      = kodo_bucket.uploads.region
  key         = local.original
  insert_only = true
  max_size    = 500 * 1024 * 1024
  mime_types  = ["video/*"]

  persistent = {
    ops = "avthumb/mp4/s/640x480|${provider::kodo::saveas(kodo_bucket.uploads.name, "${local.original}.640.mp4")}"
  }
}

output "upload_url" {
  value = data.kodo_upload_token.video.upload_url
}

output "key" {
  value = local.original
}

output "token" {
  value     = data.kodo_upload_token.video.token
  sensitive = true
}
