# Buckets of one region, with the rules of what is stored there.

locals {
  made = { for key, bucket in var.buckets : key => bucket if bucket.create }
}

resource "alicloud_oss_bucket" "uploads" {
  for_each = local.made
  bucket   = each.value.name

  dynamic "lifecycle_rule" {
    for_each = each.value.lifecycle_rules
    content {
      id      = lifecycle_rule.value.id
      prefix  = lifecycle_rule.value.prefix
      enabled = true

      dynamic "abort_multipart_upload" {
        for_each = lifecycle_rule.value.abort_days == null ? [] : [lifecycle_rule.value.abort_days]
        content {
          days = abort_multipart_upload.value
        }
      }

      dynamic "expiration" {
        for_each = lifecycle_rule.value.expire_days == null ? [] : [lifecycle_rule.value.expire_days]
        content {
          days = expiration.value
        }
      }
    }
  }

  dynamic "cors_rule" {
    for_each = each.value.cors_rules
    content {
      allowed_origins = cors_rule.value.origins
      allowed_methods = cors_rule.value.methods
      allowed_headers = cors_rule.value.headers
      expose_headers  = cors_rule.value.expose_headers
      max_age_seconds = cors_rule.value.max_age_seconds
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
  block_public_access = each.value.block_public_access
}
