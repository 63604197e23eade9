# The same roles, policies, bucket rules and function as `manage.py setup` and s.yaml make: one or the other, not both.

provider "alicloud" {
  region = var.region
}

data "alicloud_account" "current" {}

locals {
  account = data.alicloud_account.current.id
}

# --- roles ---

resource "alicloud_ram_role" "function" {
  role_name                   = var.function_role.name
  assume_role_policy_document = replace(var.function_role.trust, var.account_marker, local.account)
  max_session_duration        = var.function_role.max_session_seconds
  description                 = "oss-direct-upload"
}

resource "alicloud_ram_policy" "function" {
  policy_name     = var.function_role.name
  policy_document = replace(var.function_role.policy, var.account_marker, local.account)
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded"
  description     = "oss-direct-upload"
}

resource "alicloud_ram_role_policy_attachment" "function" {
  role_name   = alicloud_ram_role.function.role_name
  policy_name = alicloud_ram_policy.function.policy_name
  policy_type = "Custom"
}

resource "alicloud_ram_role" "upload" {
  role_name                   = var.upload_role.name
  assume_role_policy_document = replace(var.upload_role.trust, var.account_marker, local.account)
  max_session_duration        = var.upload_role.max_session_seconds
  description                 = "oss-direct-upload"

  # RAM refuses a trust policy that names a role that does not exist.
  depends_on = [alicloud_ram_role.function]
}

resource "alicloud_ram_policy" "upload" {
  policy_name     = var.upload_role.name
  policy_document = replace(var.upload_role.policy, var.account_marker, local.account)
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded"
  description     = "oss-direct-upload"
}

resource "alicloud_ram_role_policy_attachment" "upload" {
  role_name   = alicloud_ram_role.upload.role_name
  policy_name = alicloud_ram_policy.upload.policy_name
  policy_type = "Custom"
}

# --- the bucket of the uploads ---

resource "alicloud_oss_bucket" "uploads" {
  count  = var.bucket.create ? 1 : 0
  bucket = var.bucket.name

  dynamic "lifecycle_rule" {
    for_each = var.bucket.lifecycle_rules
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
    for_each = var.bucket.cors_rules
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
  count  = var.bucket.create ? 1 : 0
  bucket = alicloud_oss_bucket.uploads[0].bucket
  acl    = "private"
}

resource "alicloud_oss_bucket_public_access_block" "uploads" {
  count               = var.bucket.create ? 1 : 0
  bucket              = alicloud_oss_bucket.uploads[0].bucket
  block_public_access = var.bucket.block_public_access
}

# --- the code: in a bucket of its own, where no form can write ---

data "archive_file" "code" {
  type             = "zip"
  source_dir       = "${path.module}/${var.package}"
  output_path      = "${path.module}/.terraform/function.zip"
  output_file_mode = "0644"
}

resource "alicloud_oss_bucket" "code" {
  bucket        = "${var.bucket.name}-code"
  force_destroy = true
}

resource "alicloud_oss_bucket_acl" "code" {
  bucket = alicloud_oss_bucket.code.bucket
  acl    = "private"
}

resource "alicloud_oss_bucket_public_access_block" "code" {
  bucket              = alicloud_oss_bucket.code.bucket
  block_public_access = true
}

resource "alicloud_oss_bucket_object" "code" {
  bucket = alicloud_oss_bucket.code.bucket
  # Another package has another name, and so the function changes with it.
  key    = "${var.function.name}-${data.archive_file.code.output_sha256}.zip"
  source = data.archive_file.code.output_path
  acl    = "private"
}

# --- the function ---

resource "alicloud_fcv3_function" "upload" {
  function_name   = var.function.name
  description     = var.function.description
  runtime         = var.function.runtime
  handler         = var.function.handler
  cpu             = var.function.cpu
  memory_size     = var.function.memory_mb
  disk_size       = var.function.disk_mb
  timeout         = var.function.timeout_seconds
  internet_access = var.function.internet_access
  role            = alicloud_ram_role.function.arn

  code {
    oss_bucket_name = alicloud_oss_bucket.code.bucket
    oss_object_name = alicloud_oss_bucket_object.code.key
  }

  instance_lifecycle_config {
    initializer {
      handler = var.function.initializer
      timeout = var.function.initializer_seconds
    }
  }

  environment_variables = merge(
    var.environment,
    { STS_ROLE_ARN = alicloud_ram_role.upload.arn },
    var.secrets,
  )

  dynamic "log_config" {
    for_each = var.log == null ? [] : [var.log]
    content {
      project                 = log_config.value.project
      logstore                = log_config.value.logstore
      enable_request_metrics  = true
      enable_instance_metrics = true
      log_begin_rule          = "DefaultRegex"
    }
  }

  # The first instance assumes the upload role at once.
  depends_on = [
    alicloud_ram_role_policy_attachment.function,
    alicloud_ram_role_policy_attachment.upload,
  ]
}

resource "alicloud_fcv3_trigger" "http" {
  function_name = alicloud_fcv3_function.upload.function_name
  trigger_name  = var.function.trigger_name
  trigger_type  = "http"
  qualifier     = "LATEST"
  trigger_config = jsonencode({
    authType           = var.function.auth_type
    methods            = var.function.methods
    disableURLInternet = !var.function.internet_url
  })
}
