# --- yours to give ---

# Not written to any file: give it as TF_VAR_secrets='{"TOKEN_SECRET":"…"}'. The state holds it in clear all the same.
variable "secrets" {
  description = "The settings that are secrets, by name: those of secret_names."
  type        = map(string)
  default     = {}
  sensitive   = true

  validation {
    condition     = alltrue([for name, value in var.secrets : can(regex("^[A-Z][A-Z0-9_]*$", name)) && value != ""])
    error_message = "Names of secrets are those of settings, such as TOKEN_SECRET, and none is empty."
  }
}

variable "package" {
  description = "The folder that make package builds, from this one; null is that of the function in s.yaml."
  type        = string
  default     = null
}

# --- what `python3 manage.py terraform` writes into deployment.auto.tfvars.json, out of .env, profiles.toml and s.yaml ---

variable "region" {
  description = "Region id of the bucket and the function, such as cn-hangzhou."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2,}(-[a-z0-9]+)+$", var.region))
    error_message = "This is no region. Run manage.py terraform, which writes it; nothing is to be typed here."
  }
}

variable "secret_names" {
  description = "The settings that are secrets and that this deployment has."
  type        = list(string)
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
  description = "The function as s.yaml has it, or s.burst.yaml; server is the server of a custom runtime, timer what is due every minute, each null for none."
  type = object({
    name                 = string
    description          = string
    runtime              = string
    handler              = string
    initializer          = string
    initializer_seconds  = number
    cpu                  = number
    memory_mb            = number
    disk_mb              = number
    timeout_seconds      = number
    internet_access      = bool
    trigger_name         = string
    methods              = list(string)
    auth_type            = string
    internet_url         = bool
    package              = string
    instance_concurrency = number
    timer = object({
      name     = string
      schedule = string
      enabled  = bool
    })
    server = object({
      command                = list(string)
      args                   = list(string)
      port                   = number
      health_path            = string
      health_delay_seconds   = number
      health_period_seconds  = number
      health_timeout_seconds = number
      health_failures        = number
      health_successes       = number
    })
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

variable "alarm_contacts" {
  description = "Alert contact group of CloudMonitor, which exists; empty for no alarms."
  type        = string
}

variable "alarms" {
  description = "Alarms of CloudMonitor on the metrics of Function Compute; the dimensions are JSON."
  type = map(object({
    title      = string
    metric     = string
    dimensions = string
    threshold  = number
    minutes    = number
  }))
}
