# The same roles, policies, bucket rules and function as `manage.py setup` and s.yaml make: one or the other, not both.
# A configuration to run in this folder, not a module to call: `manage.py terraform` fills it (docs/deploy.md).

provider "alicloud" {
  region = var.region
}

data "alicloud_account" "current" {}

locals {
  account = data.alicloud_account.current.id
  package = coalesce(var.package, var.function.package)
  # Where every profile has a role of its own, nobody takes this one, and it is not made.
  sts_role_arn = try(
    alicloud_ram_role.upload["STS_ROLE_ARN"].arn,
    replace(var.sts_role_arn, var.account_marker, local.account),
  )
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
  for_each                    = var.upload_roles
  role_name                   = each.value.name
  assume_role_policy_document = replace(each.value.trust, var.account_marker, local.account)
  max_session_duration        = each.value.max_session_seconds
  description                 = "oss-direct-upload"

  # RAM refuses a trust policy that names a role that does not exist.
  depends_on = [alicloud_ram_role.function]
}

resource "alicloud_ram_policy" "upload" {
  for_each        = var.upload_roles
  policy_name     = each.value.name
  policy_document = replace(each.value.policy, var.account_marker, local.account)
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded"
  description     = "oss-direct-upload"
}

resource "alicloud_ram_role_policy_attachment" "upload" {
  for_each    = var.upload_roles
  role_name   = alicloud_ram_role.upload[each.key].role_name
  policy_name = alicloud_ram_policy.upload[each.key].policy_name
  policy_type = "Custom"
}

# --- the buckets of the uploads: a provider is of one region, so regions.tf.json has those in others ---

module "buckets" {
  source  = "./buckets"
  buckets = { for key, bucket in var.buckets : key => bucket if bucket.region == var.region }
}

# --- the code: in a bucket of its own, where no form can write ---

data "archive_file" "code" {
  type             = "zip"
  source_dir       = "${path.module}/${local.package}"
  output_path      = "${path.module}/.terraform/function.zip"
  output_file_mode = "0644"

  lifecycle {
    precondition {
      condition     = fileexists("${path.module}/${local.package}/handler.py")
      error_message = "${local.package} holds no function: run make package, in the folder of the project."
    }
  }
}

resource "alicloud_oss_bucket" "code" {
  bucket        = "${var.buckets["OSS_BUCKET"].name}-code"
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
  # Null is the provider's default: a built-in runtime takes one request at a time.
  instance_concurrency = var.function.instance_concurrency
  role                 = alicloud_ram_role.function.arn

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

  dynamic "custom_runtime_config" {
    for_each = var.function.server == null ? [] : [var.function.server]
    content {
      command = custom_runtime_config.value.command
      args    = custom_runtime_config.value.args
      port    = custom_runtime_config.value.port
      health_check_config {
        http_get_url          = custom_runtime_config.value.health_path
        initial_delay_seconds = custom_runtime_config.value.health_delay_seconds
        period_seconds        = custom_runtime_config.value.health_period_seconds
        timeout_seconds       = custom_runtime_config.value.health_timeout_seconds
        failure_threshold     = custom_runtime_config.value.health_failures
        success_threshold     = custom_runtime_config.value.health_successes
      }
    }
  }

  environment_variables = merge(
    var.environment,
    { STS_ROLE_ARN = local.sts_role_arn },
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

  # The first instance assumes an upload role at once.
  depends_on = [
    alicloud_ram_role_policy_attachment.function,
    alicloud_ram_role_policy_attachment.upload,
  ]

  lifecycle {
    precondition {
      condition     = length(setsubtract(var.secret_names, nonsensitive(keys(var.secrets)))) == 0
      error_message = "TF_VAR_secrets must hold ${join(", ", var.secret_names)}, or the function loses what is not in it."
    }
  }
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

# What is due and waits for no request.
resource "alicloud_fcv3_trigger" "timer" {
  count         = var.function.timer == null ? 0 : 1
  function_name = alicloud_fcv3_function.upload.function_name
  trigger_name  = var.function.timer.name
  trigger_type  = "timer"
  qualifier     = "LATEST"
  trigger_config = jsonencode({
    cronExpression = var.function.timer.schedule
    enable         = var.function.timer.enabled
    payload        = ""
  })
}

# --- alarms: CloudMonitor counts what Function Compute refuses; the function sees nothing of it ---

resource "alicloud_cms_alarm" "metrics" {
  for_each          = var.alarms
  name              = each.value.title
  project           = "acs_fc"
  metric            = each.value.metric
  metric_dimensions = replace(each.value.dimensions, var.account_marker, local.account)
  contact_groups    = [var.alarm_contacts]
  period            = 60
  silence_time      = 3600

  escalations_warn {
    statistics          = "Value"
    comparison_operator = ">"
    threshold           = tostring(each.value.threshold)
    times               = each.value.minutes
  }

  depends_on = [alicloud_fcv3_function.upload]
}
