# terraform query -generate-config-out=buckets.tf
# writes an import block and a resource for each bucket of the account.
list "kodo_bucket" "all" {
  provider         = kodo
  include_resource = true
}
