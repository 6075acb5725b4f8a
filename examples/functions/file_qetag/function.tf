output "etag" {
  value = provider::kodo::file_qetag("${path.module}/app.js")
}
