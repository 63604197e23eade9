variable "buckets" {
  description = "Those of var.buckets of the module above that are in the region of this provider."
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
