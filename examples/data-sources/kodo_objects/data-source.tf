resource "kodo_bucket" "site" {
  name   = "acme-site"
  region = "z0"
}

resource "kodo_object" "page" {
  for_each = toset(["index.html", "img/a.png", "img/b.png"])

  bucket  = kodo_bucket.site.name
  key     = each.value
  content = each.value
}

# A listing: the pictures.
data "kodo_objects" "pictures" {
  bucket     = kodo_bucket.site.name
  prefix     = "img/"
  match_glob = "**/*.png"

  depends_on = [kodo_object.page]
}

# One folder: its objects, and the folders in it.
data "kodo_objects" "top" {
  bucket    = kodo_bucket.site.name
  delimiter = "/"

  depends_on = [kodo_object.page]
}

# Exactly these keys, and which of them do not exist.
data "kodo_objects" "wanted" {
  bucket = kodo_bucket.site.name
  keys   = ["index.html", "404.html"]

  depends_on = [kodo_object.page]
}

output "pictures" {
  value = { for o in data.kodo_objects.pictures.objects : o.key => o.size }
}

output "folders" {
  value = data.kodo_objects.top.common_prefixes
}

output "missing" {
  value = data.kodo_objects.wanted.missing_keys
}
