import {
  to = kodo_object.logo
  id = "acme-assets/img/logo.svg"
}

resource "kodo_object" "logo" {
  bucket = "acme-assets"
  key    = "img/logo.svg"
  source = "${path.module}/logo.svg"
}
