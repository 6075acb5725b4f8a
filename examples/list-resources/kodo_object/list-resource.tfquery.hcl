# terraform query -generate-config-out=images.tf
# writes an import block and a resource for each image of the bucket.
list "kodo_object" "images" {
  provider         = kodo
  include_resource = true
  limit            = 1000

  config {
    bucket = "acme-assets"
    prefix = "img/"
  }
}
