variable "stage" {
  description = "Stage of the stack: the tag is vipshift:<stage>."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,39}$", var.stage))
    error_message = "stage must have 1 to 40 letters, digits and hyphens."
  }
}

variable "label" {
  description = "Label of the VIP, by default its name: the value of the tag."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", var.label))
    error_message = "label must be the name of a VIP."
  }
}

variable "route_table_ids" {
  description = "Route tables whose subnets must reach the VIP, by a name of yours."
  type        = map(string)

  validation {
    condition     = length(var.route_table_ids) > 0
    error_message = "route_table_ids must name at least one table."
  }
}

variable "eni_ids" {
  description = "ENIs that receive the VIP's traffic, one for each node, by a name of yours. Their source/destination check must be off."
  type        = map(string)

  validation {
    condition     = length(var.eni_ids) > 0
    error_message = "eni_ids must name at least one ENI."
  }
}

variable "eip_eni_ids" {
  description = "ENIs that take the Elastic IP, one for each node, by a name of yours."
  type        = map(string)
  default     = {}
}

variable "eip_allocation_ids" {
  description = "Elastic IPs that move with the VIP (eipalloc-…), by a name of yours."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for id in values(var.eip_allocation_ids) : startswith(id, "eipalloc-")])
    error_message = "eip_allocation_ids must be allocation ids, such as eipalloc-0123."
  }
}
