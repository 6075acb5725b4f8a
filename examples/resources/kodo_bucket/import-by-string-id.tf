import {
  to = kodo_bucket.reports
  id = "acme-reports"
}

resource "kodo_bucket" "reports" {
  name   = "acme-reports"
  region = "z0"
}
