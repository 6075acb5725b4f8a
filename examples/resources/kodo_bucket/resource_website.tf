# Public, and a request for a folder is answered with its index.html.
resource "kodo_bucket" "website" {
  name       = "acme-website"
  region     = "z0"
  private    = false
  index_page = true

  # `terraform destroy` deletes the objects too.
  force_destroy = true
}

output "website_domain" {
  value = kodo_bucket.website.domains[0]
}
