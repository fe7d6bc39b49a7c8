output "tag_key" {
  description = "Key of the tag."
  value       = local.key
}
