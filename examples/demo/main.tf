# A public bucket and a static site in it. `make demo` applies this against the
# local Kodo; with your own keys in QINIU_ACCESS_KEY and QINIU_SECRET_KEY it
# publishes to Qiniu as it is (bucket names are unique in all of Kodo, so
# choose another one).

terraform {
  required_providers {
    kodo = {
      source = "qiniu/kodo"
    }
  }
}

provider "kodo" {}

variable "bucket" {
  description = "Name of the bucket to create."
  type        = string
  default     = "harbour-museum"
}

variable "region" {
  description = "Region of the bucket."
  type        = string
  default     = "z0"
}

locals {
  site = "${path.module}/site"
}

resource "kodo_bucket" "site" {
  name       = var.bucket
  region     = var.region
  private    = false
  index_page = true
}

resource "kodo_object" "file" {
  for_each = fileset(local.site, "**")

  bucket = kodo_bucket.site.name
  domain = kodo_bucket.site.domains[0]
  key    = each.value
  source = "${local.site}/${each.value}"
}

output "files" {
  description = "Address of every published file."
  value       = { for key, file in kodo_object.file : key => file.url }
}
