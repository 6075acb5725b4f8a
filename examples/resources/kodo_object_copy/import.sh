# The bucket and the key of the copy, with the first slash between them.
terraform import kodo_object_copy.release acme-releases/stable.json
