# The CDN domain www.acme.example is bound to this bucket.
resource "kodo_bucket" "news" {
  name    = "acme-news"
  region  = "z0"
  private = false
}

resource "kodo_object" "page" {
  for_each = {
    "index.html"   = "<h1>Today</h1>"
    "archive.html" = "<h1>Before</h1>"
  }

  bucket  = kodo_bucket.news.name
  key     = each.key
  domain  = "www.acme.example"
  content = each.value
}

# When a page changes, its URL is refreshed, after the upload and no other. The
# ETag as a trigger lets the same page change twice in a row. Nobody waits: many
# instances that wait would take up all of Terraform's places for minutes.
resource "kodo_cdn_refresh" "page" {
  for_each = kodo_object.page

  urls                = [each.value.url]
  triggers            = { etag = each.value.etag }
  wait_for_completion = false
}

# All below a folder at once, which takes a permission from Qiniu's support.
resource "kodo_cdn_refresh" "images" {
  dirs       = ["https://www.acme.example/images/"]
  triggers   = { edition = "2026-03" }
  on_failure = "WARN"
  depends_on = [kodo_bucket.news]
}
