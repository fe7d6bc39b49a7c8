# A group of one node in each zone: an instance that dies is replaced, with a new ENI that the launch template labels. keepalived's peers are
# then found at boot (user data), since their addresses change.
#
# Limit: without a lifecycle hook the group ends an instance at once, as a crash does.

variable "release_folder" {
  description = "Folder with the files of the release."
  type        = string
}

variable "code_bucket" {
  description = "Bucket for the template and the zips."
  type        = string
}

variable "ami" {
  description = "Image with keepalived, the shim (deb or rpm) and a service that configures both at boot."
  type        = string
}

variable "subnets" {
  description = "Subnet of each zone, by the zone's name."
  type        = map(string)
}

variable "route_table_ids" {
  description = "Tables whose subnets must reach the VIP, by a name of yours."
  type        = map(string)
}

variable "security_group_ids" {
  description = "They admit protocol 112 between the nodes, and the clients."
  type        = list(string)
}

module "node" {
  source = "../../modules/node"

  name        = "keepalived-node"
  policy_arns = { report = module.vipshift.node_policy_arn }
}

module "vipshift" {
  source = "../.."

  stage          = "prod"
  release_folder = var.release_folder
  code_bucket    = var.code_bucket
  node_role_id   = module.node.role_id
  node_role_arn  = module.node.role_arn
}

resource "aws_launch_template" "node" {
  name          = "keepalived-node"
  image_id      = var.ami
  instance_type = "t4g.small"

  iam_instance_profile {
    name = module.node.instance_profile
  }

  metadata_options {
    http_tokens = "required"
  }

  # The source/destination check has no place here: the instance turns it off for itself, or the reconcile does within a minute.
  network_interfaces {
    device_index    = 0
    security_groups = var.security_group_ids
  }

  tag_specifications {
    resource_type = "network-interface"
    tags          = { "vipshift:prod" = "web" }
  }
}

resource "aws_autoscaling_group" "node" {
  for_each = var.subnets

  name                = "keepalived-node-${each.key}"
  min_size            = 1
  max_size            = 1
  vpc_zone_identifier = [each.value]

  launch_template {
    id      = aws_launch_template.node.id
    version = aws_launch_template.node.latest_version
  }
}

resource "aws_ec2_tag" "table" {
  for_each = var.route_table_ids

  resource_id = each.value
  key         = "vipshift:prod"
  value       = "web"
}
