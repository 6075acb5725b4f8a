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

  # When a page has changed, its URL is refreshed and no other.
  lifecycle {
    action_trigger {
      events  = [after_update]
      actions = [action.kodo_cdn_refresh.page[each.key]]
    }
  }
}

action "kodo_cdn_refresh" "page" {
  for_each = kodo_object.page

  config {
    urls = [each.value.url]
  }
}

# For the command line: terraform apply -invoke=action.kodo_cdn_refresh.images
action "kodo_cdn_refresh" "images" {
  config {
    dirs       = ["https://www.acme.example/images/"]
    on_failure = "WARN"
  }
}
