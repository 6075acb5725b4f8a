resource "kodo_bucket" "assets" {
  name   = "acme-assets"
  region = "z0"
}

resource "kodo_bucket" "releases" {
  name   = "acme-releases"
  region = "z0"
}

resource "kodo_object" "build" {
  bucket        = kodo_bucket.assets.name
  key           = "builds/latest.json"
  content       = jsonencode({ version = "1.4.0" })
  metadata      = { channel = "beta" }
  storage_class = "IA"
}

# The same apply makes the source, so its ETag is passed by value: when the
# source changes, the copy follows in that very apply.
resource "kodo_object_copy" "release" {
  source_bucket = kodo_object.build.bucket
  source_key    = kodo_object.build.key
  source_etag   = kodo_object.build.etag

  bucket        = kodo_bucket.releases.name
  key           = "stable.json"
  storage_class = "STANDARD"
  cache_control = "public, max-age=300"
  metadata      = { channel = "stable" } # over the source's
}
