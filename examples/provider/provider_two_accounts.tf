terraform {
  required_providers {
    kodo = {
      source = "qiniu/kodo"
    }
  }
}

variable "staging_access_key" {
  type      = string
  sensitive = true
}

variable "staging_secret_key" {
  type      = string
  sensitive = true
}

# Two accounts side by side: resources choose one with `provider = kodo.staging`.
provider "kodo" {
  max_retries = 8
  concurrency = 32
}

provider "kodo" {
  alias      = "staging"
  access_key = var.staging_access_key
  secret_key = var.staging_secret_key
}
