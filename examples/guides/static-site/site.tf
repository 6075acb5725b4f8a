# The CDN domain site.acme.example is bound to this bucket.
resource "kodo_bucket" "www" {
  name       = "acme-site"
  region     = "z0"
  private    = false
  index_page = true
}

resource "kodo_directory" "site" {
  bucket     = kodo_bucket.www.name
  source_dir = "${path.module}/public"
  exclude    = ["**/*.map"] # what browsers need only for debugging

  # A page is asked for anew each time, and answered with 304 if it is the same.
  rule {
    pattern       = "**/*.html"
    content_type  = "text/html; charset=utf-8"
    cache_control = "no-cache"
  }

  # The bundler gives these another name whenever they change.
  rule {
    pattern       = "assets/**"
    cache_control = "public, max-age=31536000, immutable"
  }

  # Visitors who have an older page open still get its assets for a week.
  retain_removed_days = 7
}

# The CDN is told of the pages that are not what they were, and of no others.
resource "kodo_cdn_refresh" "pages" {
  urls = [
    for key in concat(kodo_directory.site.changed_keys, kodo_directory.site.deleted_keys) :
    provider::kodo::public_url("https://site.acme.example", key)
  ]
  triggers            = { revision = kodo_directory.site.revision }
  wait_for_completion = false
  on_failure          = "WARN" # the site is published all the same
}

output "changes" {
  value = {
    added   = kodo_directory.site.added_count
    changed = kodo_directory.site.changed_keys
    deleted = kodo_directory.site.deleted_keys
  }
}
