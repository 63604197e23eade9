# Roles, policies and buckets of `manage.py setup`, as its dry run prints them into setup.json (docs/deploy.md).
# The function itself is deployed by make deploy.

terraform {
  required_version = ">= 1.3"

  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = "~> 1.260"
    }
  }
}

locals {
  text = file("${path.module}/setup.json")
  # A dry run without --account leaves a gap.
  setup  = jsondecode(replace(local.text, "<account-id>", data.alicloud_account.current.id))
  region = jsondecode(local.text).env.OSS_REGION

  roles    = [for step in local.setup.steps : step.parameters if step.action == "CreateRole"]
  policies = { for step in local.setup.steps : step.parameters.PolicyName => step.parameters if step.action == "CreatePolicy" }
}

provider "alicloud" {
  region = local.region
}

data "alicloud_account" "current" {}

# The first role is the function's: RAM refuses a trust policy that names a role that does not exist.
resource "alicloud_ram_role" "function" {
  role_name                   = local.roles[0].RoleName
  assume_role_policy_document = jsonencode(local.roles[0].AssumeRolePolicyDocument)
  max_session_duration        = local.roles[0].MaxSessionDuration
  description                 = local.roles[0].Description
}

resource "alicloud_ram_role" "upload" {
  for_each                    = { for role in slice(local.roles, 1, length(local.roles)) : role.RoleName => role }
  role_name                   = each.key
  assume_role_policy_document = jsonencode(each.value.AssumeRolePolicyDocument)
  max_session_duration        = each.value.MaxSessionDuration
  description                 = each.value.Description
  depends_on                  = [alicloud_ram_role.function]
}

# Each role has one policy, of its own name.
resource "alicloud_ram_policy" "own" {
  for_each        = local.policies
  policy_name     = each.key
  policy_document = jsonencode(each.value.PolicyDocument)
  description     = each.value.Description
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded"
}

resource "alicloud_ram_role_policy_attachment" "own" {
  for_each    = local.policies
  role_name   = each.key
  policy_name = alicloud_ram_policy.own[each.key].policy_name
  policy_type = "Custom"
  depends_on  = [alicloud_ram_role.function, alicloud_ram_role.upload]
}

module "buckets" {
  source = "./buckets"
  region = local.region
  steps  = local.setup.steps
}

output "env" {
  description = "Lines of .env."
  value       = local.setup.env
}

output "buckets_left" {
  description = "Buckets in other regions: each region takes a provider and a module block like the one above."
  value       = [for step in local.setup.steps : step.parameters.bucket if step.action == "PutBucket" && step.region != local.region]
}
