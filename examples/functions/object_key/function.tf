output "key" {
  value = provider::kodo::object_key("voices", "user_123", "2025-01-15T08:00:00Z", "my-voice.mp3") # voices/user_123/202501/fe724364.mp3
}
