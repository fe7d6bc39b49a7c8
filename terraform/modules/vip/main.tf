# The tags that say what may be moved. The VIP itself is registered with `vipshift vip add`, or `vipshift apply` of a file: its addresses are
# data, not infrastructure.
#
# aws_ec2_tag and the resource that has the same tags do not go together: give that one `lifecycle { ignore_changes = [tags, tags_all] }`,
# or leave this module out and write the tags there. A table that Terraform manages must not have its routes inside
# (`lifecycle { ignore_changes = [route] }`): vipshift replaces them.

locals {
  key = "vipshift:${var.stage}"
}

resource "aws_ec2_tag" "table" {
  for_each = var.route_table_ids

  resource_id = each.value
  key         = local.key
  value       = var.label
}

resource "aws_ec2_tag" "eni" {
  for_each = var.eni_ids

  resource_id = each.value
  key         = local.key
  value       = var.label
}

resource "aws_ec2_tag" "eip_eni" {
  for_each = var.eip_eni_ids

  resource_id = each.value
  key         = local.key
  value       = "${var.label}:eip"
}

resource "aws_ec2_tag" "eip" {
  for_each = var.eip_allocation_ids

  resource_id = each.value
  key         = local.key
  value       = var.label
}
