# Two nodes in two zones, each with the ENIs that it keeps. The network is yours: its ids are variables.
#
# The first apply makes the stack before the policies are attached; then the nodes are set up as docs/reference/ways-to-install.md says.

variable "release_folder" {
  description = "Folder with the files of the release."
  type        = string
}

variable "code_bucket" {
  description = "Bucket for the template and the zips."
  type        = string
}

variable "ami" {
  description = "Image with keepalived ≥ 2.2 and curl ≥ 7.86, such as Amazon Linux 2023 or Debian 12."
  type        = string
}

variable "nodes" {
  description = "Subnet, its route table and the address of each node, by the node's name."
  type = map(object({
    subnet_id      = string
    route_table_id = string
    address        = string
  }))
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

resource "aws_network_interface" "service" {
  for_each = var.nodes

  subnet_id         = each.value.subnet_id
  private_ips       = [each.value.address]
  security_groups   = var.security_group_ids
  source_dest_check = false

  lifecycle {
    ignore_changes = [tags, tags_all]
  }
}

resource "aws_instance" "node" {
  for_each = var.nodes

  ami                  = var.ami
  instance_type        = "t4g.small"
  iam_instance_profile = module.node.instance_profile

  metadata_options {
    http_tokens = "required"
  }

  primary_network_interface {
    network_interface_id = aws_network_interface.service[each.key].id
  }
}

module "web" {
  source = "../../modules/vip"

  stage           = module.vipshift.stage
  label           = "web"
  route_table_ids = { for name, node in var.nodes : name => node.route_table_id }
  eni_ids         = { for name, eni in aws_network_interface.service : name => eni.id }
}

output "register" {
  description = "What is left to do once, from your machine."
  value       = "vipshift vip add web --address 192.168.255.10 --vpc VPC --reason 'first VIP' --stage ${module.vipshift.stage}"
}
