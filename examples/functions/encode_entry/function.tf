output "entry" {
  value = provider::kodo::encode_entry("newdocs", "find_man.txt") # bmV3ZG9jczpmaW5kX21hbi50eHQ=
}
