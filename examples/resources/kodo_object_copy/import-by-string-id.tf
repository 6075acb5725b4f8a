import {
  to = kodo_object_copy.release
  id = "acme-releases/stable.json"
}

resource "kodo_object_copy" "release" {
  source_bucket = "acme-assets"
  source_key    = "builds/latest.json"
  bucket        = "acme-releases"
  key           = "stable.json"
}
