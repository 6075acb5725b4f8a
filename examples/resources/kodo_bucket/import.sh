terraform import kodo_bucket.reports acme-reports
