# The bucket, a slash, and the prefix, which ends in a slash or is empty.
terraform import kodo_directory.site acme-www/
