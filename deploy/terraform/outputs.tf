output "url" {
  description = "The function's address, for tests and until a domain is bound; null where s.yaml closes it."
  value       = var.function.internet_url ? one(alicloud_fcv3_trigger.http.http_trigger[*].url_internet) : null
}

output "function_name" {
  description = "For the console, and for a custom domain."
  value       = alicloud_fcv3_function.upload.function_name
}

output "function_arn" {
  description = "For policies of others about the function."
  value       = alicloud_fcv3_function.upload.function_arn
}

output "function_role_arn" {
  description = "The role that Function Compute runs the function as."
  value       = alicloud_ram_role.function.arn
}

output "sts_role_arn" {
  description = "STS_ROLE_ARN, for doctor and for trying forms on this machine."
  value       = local.sts_role_arn
}

output "upload_role_arns" {
  description = "The roles that the function takes, that of STS_ROLE_ARN under this name."
  value       = { for name, role in alicloud_ram_role.upload : name => role.arn }
}

output "buckets" {
  description = "The buckets of the uploads, that of OSS_BUCKET under this name."
  value       = { for name, bucket in var.buckets : name => bucket.name }
}
