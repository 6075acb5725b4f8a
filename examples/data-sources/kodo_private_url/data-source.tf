resource "kodo_bucket" "reports" {
  name   = "acme-reports"
  region = "z0"
}

resource "kodo_object" "report" {
  bucket  = kodo_bucket.reports.name
  domain  = kodo_bucket.reports.domains[0]
  key     = "2027/Q1 report.txt"
  content = "All is well.\n"
}

# The same link in every plan of one week, good for a day at least.
data "kodo_private_url" "report" {
  url        = kodo_object.report.url
  attname    = "Report of the first quarter.txt"
  expires_in = "24h"
  window     = "168h"
}

# From a domain and a key, until an instant, with a picture made smaller.
data "kodo_private_url" "thumbnail" {
  domain     = kodo_bucket.reports.domains[0]
  key        = "2027/cover.png"
  query      = "imageView2/2/w/200"
  expires_at = "2099-12-31T00:00:00Z"
}
