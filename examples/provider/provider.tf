terraform {
  required_providers {
    kodo = {
      source = "qiniu/kodo"
    }
  }
}

# The keys come from QINIU_ACCESS_KEY and QINIU_SECRET_KEY, or from a profile of
# ~/.qiniu/config.toml, so that they stay out of the configuration.
provider "kodo" {}
