# One key, which may not be replaced, for the next quarter of an hour.
ephemeral "kodo_upload_token" "report" {
  bucket      = "acme-uploads"
  region      = "z0"
  key         = "reports/2027-q1.pdf"
  insert_only = true
  expires_in  = "15m"
}
