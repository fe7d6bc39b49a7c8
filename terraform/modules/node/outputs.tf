output "role_id" {
  description = "For the stack's node_role_id."
  value       = aws_iam_role.node.unique_id
}

output "role_arn" {
  description = "For the stack's node_role_arn."
  value       = aws_iam_role.node.arn
}

output "instance_profile" {
  description = "Name of the instance profile, for the nodes."
  value       = aws_iam_instance_profile.node.name
}
