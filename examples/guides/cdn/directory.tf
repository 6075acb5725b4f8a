# The CDN domain www.acme.example is bound to this bucket.
resource "kodo_bucket" "news" {
  name    = "acme-news"
  region  = "z0"
  private = false
}

resource "kodo_directory" "site" {
  bucket     = kodo_bucket.news.name
  source_dir = "${path.module}/public"
}

# What the last apply has changed or removed. What it has added the CDN has never
# seen. The revision lets the same file change twice in a row.
resource "kodo_cdn_refresh" "site" {
  urls = [
    for key in concat(kodo_directory.site.changed_keys, kodo_directory.site.deleted_keys) :
    provider::kodo::public_url("https://www.acme.example", key)
  ]
  triggers = { revision = kodo_directory.site.revision }
}
