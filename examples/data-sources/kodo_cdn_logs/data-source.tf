# The CDN domain www.acme.example is bound to this bucket.
resource "kodo_bucket" "news" {
  name   = "acme-news"
  region = "z0"
}

data "kodo_cdn_logs" "visits" {
  domains = ["www.acme.example"]
  day     = "2026-03-01"

  depends_on = [kodo_bucket.news]
}

output "bytes_of_log" {
  value = sum(concat([0], data.kodo_cdn_logs.visits.logs[*].size))
}
