# The bucket and the key, with the first slash between them.
terraform import kodo_object.logo acme-assets/img/logo.svg
