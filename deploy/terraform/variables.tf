# What `python3 manage.py terraform` writes into deployment.auto.tfvars.json, out of .env, profiles.toml and s.yaml.

variable "region" {
  description = "Region id of the bucket and the function, such as cn-hangzhou."
  type        = string
}

variable "function_role" {
  description = "The role that Function Compute runs the function as; the documents are JSON."
  type = object({
    name                = string
    trust               = string
    policy              = string
    max_session_seconds = number
  })
}

variable "upload_roles" {
  description = "The roles whose temporary keys sign, that of STS_ROLE_ARN under this name; the documents are JSON."
  type = map(object({
    name                = string
    trust               = string
    policy              = string
    max_session_seconds = number
  }))
}

variable "sts_role_arn" {
  description = "STS_ROLE_ARN where no profile takes that role, so that it is not made."
  type        = string
}

variable "account_marker" {
  description = "What stands for the account's id in the documents."
  type        = string
}

variable "buckets" {
  description = "The buckets and their rules, OSS_BUCKET under this name. Without create they are there already, and setup keeps their rules."
  type = map(object({
    name                = string
    region              = string
    create              = bool
    block_public_access = bool
    lifecycle_rules = list(object({
      id          = string
      prefix      = string
      abort_days  = number
      expire_days = number
    }))
    cors_rules = list(object({
      origins         = list(string)
      methods         = list(string)
      headers         = list(string)
      expose_headers  = list(string)
      max_age_seconds = number
    }))
  }))
}

variable "function" {
  description = "The function as s.yaml has it."
  type = object({
    name                = string
    description         = string
    runtime             = string
    handler             = string
    initializer         = string
    initializer_seconds = number
    cpu                 = number
    memory_mb           = number
    disk_mb             = number
    timeout_seconds     = number
    internet_access     = bool
    trigger_name        = string
    methods             = list(string)
    auth_type           = string
    internet_url        = bool
  })
}

variable "environment" {
  description = "The settings that are no secrets."
  type        = map(string)
}

variable "log" {
  description = "Project and logstore of Simple Log Service for the function's log; both exist. Null for none."
  type = object({
    project  = string
    logstore = string
  })
  default = null
}

# Not written to any file: give it as TF_VAR_secrets='{"TOKEN_SECRET":"…"}'. The state holds it in clear all the same.
variable "secrets" {
  description = "The settings that are secrets, by name."
  type        = map(string)
  default     = {}
  sensitive   = true
}

variable "package" {
  description = "The folder that make package builds."
  type        = string
  default     = "../../build/function"
}
