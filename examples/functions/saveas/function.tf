# The persistent operations of an upload policy: transcode, and store the result
# under a key of its own.
output "persistent_ops" {
  value = "avthumb/mp4/s/640x480|${provider::kodo::saveas("acme-assets", "videos/clip-640.mp4")}"
}
