resource "kodo_bucket" "website" {
  name    = "acme-website"
  region  = "z0"
  private = false
}

# Every file of a folder, with its public address.
resource "kodo_object" "page" {
  for_each = fileset("${path.module}/site", "**")

  bucket = kodo_bucket.website.name
  domain = kodo_bucket.website.domains[0]
  key    = each.value
  source = "${path.module}/site/${each.value}"
}

output "pages" {
  value = { for key, page in kodo_object.page : key => page.url }
}
