# The CDN domain www.acme.example is bound to this bucket.
resource "kodo_bucket" "news" {
  name    = "acme-news"
  region  = "z0"
  private = false
}

# A new edition has a URL that the CDN has never seen. It is fetched as soon as it
# is uploaded, before the first reader asks for it.
resource "kodo_object" "edition" {
  bucket  = kodo_bucket.news.name
  key     = "editions/2026-03.txt"
  domain  = "www.acme.example"
  content = "All the news of March."

  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.kodo_cdn_prefetch.edition]
    }
  }
}

action "kodo_cdn_prefetch" "edition" {
  config {
    urls = [kodo_object.edition.url]
  }
}
