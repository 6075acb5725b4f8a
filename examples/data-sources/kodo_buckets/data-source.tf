data "kodo_buckets" "web" {
  region = "z0"
  tags   = { team = "web" }
}

output "web_buckets" {
  value = [for b in data.kodo_buckets.web.buckets : b.name]
}
