variable "stage" {
  description = "Name of the deployment, such as prod. It is in every name and in the tag vipshift:<stage>; another one is another stack."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,39}$", var.stage))
    error_message = "stage must have 1 to 40 letters, digits and hyphens."
  }
}

variable "release_folder" {
  description = "Folder with the files of the release of this version: the template and the zips. Compare them with SHA256SUMS first."
  type        = string

  validation {
    condition     = fileexists("${var.release_folder}/SHA256SUMS")
    error_message = "release_folder must hold the files of a release, SHA256SUMS among them."
  }
}

variable "code_bucket" {
  description = "Bucket of yours, in the Region of the stack, for the template and the zips."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.code_bucket))
    error_message = "code_bucket must be the name of a bucket."
  }
}

variable "code_prefix" {
  description = "Folder in that bucket, with its last slash; by default vipshift/<version>/."
  type        = string
  default     = null

  validation {
    condition     = var.code_prefix == null || can(regex("^[^/].*/$", var.code_prefix))
    error_message = "code_prefix must end with a slash and begin with none."
  }
}

variable "node_identity" {
  description = "Who a claim must come from. source: the session of the nodes' role; none: any member's word, which every timeline notes."
  type        = string
  default     = "source"

  validation {
    condition     = contains(["source", "none"], var.node_identity)
    error_message = "node_identity must be source or none."
  }
}

variable "node_role_id" {
  description = "Id of the nodes' role (AROA…): unique_id of aws_iam_role. Needed with source."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^AROA[A-Z0-9]{12,32}$", var.node_role_id))
    error_message = "node_role_id must begin with AROA: it is the unique_id of the role."
  }
}

variable "node_role_arn" {
  description = "ARN of the nodes' role; only it may send claims. Needed with source."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^arn:[a-z-]+:iam::[0-9]{12}:role/[^*?$]+$", var.node_role_arn))
    error_message = "node_role_arn must be the ARN of one role, without a pattern."
  }
}

variable "instance_credentials" {
  description = "Whether a claim needs credentials that EC2 gave to an instance, and which key shows it: any, instance-arn or instance-vpc."
  type        = string
  default     = "any"

  validation {
    condition     = contains(["any", "instance-arn", "instance-vpc"], var.instance_credentials)
    error_message = "instance_credentials must be any, instance-arn or instance-vpc."
  }
}

variable "eni_attribute_condition" {
  description = "Whether IAM lets the functions change only the source/destination check of an ENI."
  type        = bool
  default     = false
}

variable "trust_source_account" {
  description = "Whether the roles' trust policies ask for aws:SourceAccount."
  type        = bool
  default     = false
}

variable "direct_path" {
  description = "Whether the nodes may also call the function failover directly, by a function URL: a second way in addition to the bus."
  type        = bool
  default     = false
}

variable "notices_mail" {
  description = "Where notices and alarms go by mail; the address has to confirm. Empty for none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[^@ ]+@[^@ ]+$", var.notices_mail))
    error_message = "notices_mail must be an address, or empty."
  }
}

variable "reserved_concurrency" {
  description = "Lambda places kept for the function failover; 0 for none of its own."
  type        = number
  default     = 0

  validation {
    condition     = var.reserved_concurrency >= 0 && floor(var.reserved_concurrency) == var.reserved_concurrency
    error_message = "reserved_concurrency must be a whole number from 0."
  }
}

variable "ec2_rates" {
  description = "EC2 request buckets where support has raised them, as ReplaceRoute=100/10 (burst, refill a second), with commas."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[A-Za-z]+=[0-9]+/[0-9.]+(,[A-Za-z]+=[0-9]+/[0-9.]+)*$", var.ec2_rates))
    error_message = "ec2_rates must read like ReplaceRoute=100/10,AssociateAddress=50/5."
  }
}

variable "vips_table_name" {
  description = "The registry's table; empty for vipshift-<stage>-vips. Another name makes an empty table."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[A-Za-z0-9_.-]{3,255}$", var.vips_table_name))
    error_message = "vips_table_name must be the name of a table, or empty."
  }
}

variable "timeline_table_name" {
  description = "The record's table; empty for vipshift-<stage>-timeline. Another name makes an empty table."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[A-Za-z0-9_.-]{3,255}$", var.timeline_table_name))
    error_message = "timeline_table_name must be the name of a table, or empty."
  }
}

variable "deletion_protection" {
  description = "Of both tables. They are kept when the stack goes, in either case."
  type        = bool
  default     = true
}

variable "retention_days" {
  description = "How long the record is kept."
  type        = number
  default     = 400

  validation {
    condition     = var.retention_days >= 1
    error_message = "retention_days must be at least 1."
  }
}

variable "archive_days" {
  description = "How long the archive of the bus is kept; 0 for ever."
  type        = number
  default     = 90

  validation {
    condition     = var.archive_days >= 0
    error_message = "archive_days must not be negative."
  }
}

variable "log_retention_days" {
  description = "How long the functions' logs are kept, in one of CloudWatch's steps."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a number of days that CloudWatch Logs knows, such as 30, 90 or 365."
  }
}

variable "reconcile_schedule" {
  description = "Whether reconcile runs by itself every minute. Without it nothing is repaired."
  type        = bool
  default     = true
}

variable "metrics_by_vip" {
  description = "Four metrics for each VIP in addition to those over all; they cost from the first time they are emitted in a month."
  type        = bool
  default     = true
}

variable "hand_over_folder" {
  description = "Where keepalived's tracked files are on the nodes, one for each VIP, for via-keepalived."
  type        = string
  default     = "/run/vipshift/hand-over"

  validation {
    condition     = can(regex("^/[A-Za-z0-9/_.-]+$", var.hand_over_folder))
    error_message = "hand_over_folder must be an absolute path."
  }
}

variable "tags" {
  description = "Further tags of the stack and all that it makes."
  type        = map(string)
  default     = {}
}
