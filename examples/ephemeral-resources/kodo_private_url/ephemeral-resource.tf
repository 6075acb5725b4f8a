ephemeral "kodo_private_url" "report" {
  domain     = "https://files.example.com"
  key        = "2027/Q1 report.txt"
  expires_in = "15m"
}
