import {
  to = kodo_bucket.reports
  identity = {
    name = "acme-reports"
  }
}

resource "kodo_bucket" "reports" {
  name   = "acme-reports"
  region = "z0"
}
