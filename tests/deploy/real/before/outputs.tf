output "function_name" {
  description = "For the console, and for a custom domain."
  value       = alicloud_fcv3_function.upload.function_name
}

output "sts_role_arn" {
  description = "STS_ROLE_ARN, for doctor and for trying forms on this machine."
  value       = alicloud_ram_role.upload.arn
}
