output "url" {
  value = provider::kodo::public_url("cdn.example.com", "reports/2025 Q1.pdf") # https://cdn.example.com/reports/2025%20Q1.pdf
}
