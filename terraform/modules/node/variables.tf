variable "name" {
  description = "Name of the role and of the instance profile."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.name))
    error_message = "name must be the name of a role."
  }
}

variable "policy_arns" {
  description = "Policies to attach, by a name of yours: the outputs node_policy_arn and, for via-keepalived, node_hand_over_policy_arn."
  type        = map(string)
  default     = {}
}

variable "permissions_boundary" {
  description = "ARN of the role's permissions boundary, where the account asks for one."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:", var.permissions_boundary))
    error_message = "permissions_boundary must be an ARN."
  }
}

variable "tags" {
  description = "Tags of the role and of the instance profile."
  type        = map(string)
  default     = {}
}
