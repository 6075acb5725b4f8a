resource "kodo_bucket" "www" {
  name    = "acme-www"
  region  = "z0"
  private = false
}

# A whole site: each plan shows which files are added, changed and removed.
resource "kodo_directory" "site" {
  bucket     = kodo_bucket.www.name
  source_dir = "${path.module}/public"
  domain     = kodo_bucket.www.domains[0]

  # Pages are asked for anew each time; what has a hash in its name never changes.
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

output "url" {
  value = kodo_directory.site.url
}
