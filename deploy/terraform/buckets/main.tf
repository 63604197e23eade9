# Buckets of one region that setup --bucket-create makes, with their rules.

terraform {
  required_providers {
    alicloud = {
      source = "aliyun/alicloud"
    }
  }
}

variable "region" {
  description = "Region id of the provider."
  type        = string
}

variable "steps" {
  description = "Steps in setup.json; the body of a call is XML there as an object of lists."
  type        = any
}

locals {
  made = toset([for step in var.steps : step.parameters.bucket if step.action == "PutBucket" && step.region == var.region])
  body = { for step in var.steps : "${step.action} ${step.parameters.bucket}" => step.parameters.body if can(step.parameters.body) }
}

resource "alicloud_oss_bucket" "uploads" {
  for_each = local.made
  bucket   = each.key

  dynamic "lifecycle_rule" {
    for_each = try(local.body["PutBucketLifecycle ${each.key}"].Rule, [])
    content {
      id      = lifecycle_rule.value.ID[0]
      prefix  = lifecycle_rule.value.Prefix[0]
      enabled = true

      dynamic "abort_multipart_upload" {
        for_each = try(lifecycle_rule.value.AbortMultipartUpload, [])
        content {
          days = abort_multipart_upload.value.Days[0]
        }
      }

      dynamic "expiration" {
        for_each = try(lifecycle_rule.value.Expiration, [])
        content {
          days = expiration.value.Days[0]
        }
      }
    }
  }

  dynamic "cors_rule" {
    for_each = try(local.body["PutBucketCors ${each.key}"].CORSRule, [])
    content {
      allowed_origins = cors_rule.value.AllowedOrigin
      allowed_methods = cors_rule.value.AllowedMethod
      allowed_headers = cors_rule.value.AllowedHeader
      expose_headers  = cors_rule.value.ExposeHeader
      max_age_seconds = cors_rule.value.MaxAgeSeconds[0]
    }
  }

  # What users have stored goes with no `terraform destroy`.
  force_destroy = false
}

resource "alicloud_oss_bucket_acl" "uploads" {
  for_each = local.made
  bucket   = alicloud_oss_bucket.uploads[each.key].bucket
  acl      = "private"
}

resource "alicloud_oss_bucket_public_access_block" "uploads" {
  for_each            = local.made
  bucket              = alicloud_oss_bucket.uploads[each.key].bucket
  block_public_access = true

  # Whoever switches it off in the console, for acl = "public-read", keeps it off.
  lifecycle {
    ignore_changes = [block_public_access]
  }
}
