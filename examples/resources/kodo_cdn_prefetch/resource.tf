# The CDN domain www.acme.example is bound to this bucket.
resource "kodo_bucket" "news" {
  name    = "acme-news"
  region  = "z0"
  private = false
}

resource "kodo_object" "edition" {
  bucket  = kodo_bucket.news.name
  key     = "editions/2026-03.txt"
  domain  = "www.acme.example"
  content = "All the news of March."
}

# What the CDN has of an earlier edition is forgotten first.
resource "kodo_cdn_refresh" "edition" {
  urls     = [kodo_object.edition.url]
  triggers = { etag = kodo_object.edition.etag }
}

# Then the CDN has the new one before the first reader asks for it.
resource "kodo_cdn_prefetch" "edition" {
  urls       = [kodo_object.edition.url]
  triggers   = { etag = kodo_object.edition.etag }
  depends_on = [kodo_cdn_refresh.edition]
}
