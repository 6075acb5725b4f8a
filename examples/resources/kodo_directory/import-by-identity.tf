import {
  to = kodo_directory.site
  identity = {
    bucket = "acme-www"
    prefix = ""
  }
}

# What is in the directory with the same content is taken over without a
# transfer; what is only in the bucket is left alone.
resource "kodo_directory" "site" {
  bucket     = "acme-www"
  source_dir = "${path.module}/public"

  rule {
    pattern       = "**/*.html"
    content_type  = "text/html; charset=utf-8"
    cache_control = "no-cache"
  }
  rule {
    pattern       = "assets/**"
    cache_control = "public, max-age=31536000, immutable"
  }
}
