# The nodes' role. Its trust policy names EC2 alone: any other principal that can take the role could name its session like an instance and
# speak for it. Delete and create it again, and it has another id: the stack needs that one then.

data "aws_service_principal" "ec2" {
  service_name = "ec2"
}

resource "aws_iam_role" "node" {
  name                 = var.name
  description          = "keepalived nodes that report to vipshift"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = data.aws_service_principal.ec2.name }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_instance_profile" "node" {
  name = var.name
  role = aws_iam_role.node.name
  tags = var.tags
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = var.policy_arns

  role       = aws_iam_role.node.name
  policy_arn = each.value
}
