variable "branch" {
  type    = string
  default = "spring-menu"
}

# One private bucket has a copy of the site for each branch.
resource "kodo_bucket" "staging" {
  name   = "acme-site-staging"
  region = "z0"
}

resource "kodo_directory" "branch" {
  bucket     = kodo_bucket.staging.name
  prefix     = "${var.branch}/"
  source_dir = "${path.module}/public"
  domain     = kodo_bucket.staging.domains[0]

  rule {
    pattern       = "**"
    cache_control = "no-store"
  }
}

# A link for the reviewer, the same all day and good for a day at least. Browsers
# do not sign what a page links to: for whole pages put a server in front that does.
data "kodo_private_url" "review" {
  domain     = kodo_bucket.staging.domains[0]
  key        = "${kodo_directory.branch.prefix}index.html"
  window     = "24h"
  expires_in = "24h"
}

output "review" {
  value     = data.kodo_private_url.review.signed_url
  sensitive = true
}
