output "type" {
  value = provider::kodo::content_type("css/site.css") # text/css
}
