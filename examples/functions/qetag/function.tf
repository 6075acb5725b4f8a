output "etag" {
  value = provider::kodo::qetag("hello") # Fqr0xh3cxeii2r7eDztILNmuqUNN
}
