# The stack of a release: its files go into a bucket of yours, and CloudFormation makes the rest from its template. Terraform shows the
# parameters and outputs of the stack, not its resources: the template is the one that every way to install uses.

locals {
  # Of the release; build/release/stamp.ts writes it.
  version = "1.0.0"

  prefix   = coalesce(var.code_prefix, "vipshift/${local.version}/")
  template = "vipshift-${local.version}.template.json"
  zips     = [for name in ["failover", "reconcile", "runbook"] : "${name}-${local.version}.zip"]

  # Empty means the template's own default.
  parameters = {
    Stage                 = var.stage
    CodeBucket            = var.code_bucket
    CodePrefix            = local.prefix
    NodeIdentity          = var.node_identity
    NodeRoleId            = var.node_role_id
    NodeRoleArn           = var.node_role_arn
    InstanceCredentials   = var.instance_credentials
    EniAttributeCondition = var.eni_attribute_condition ? "on" : "off"
    TrustSourceAccount    = var.trust_source_account ? "on" : "off"
    DirectPath            = var.direct_path ? "on" : "off"
    NoticesMail           = var.notices_mail
    ReservedConcurrency   = tostring(var.reserved_concurrency)
    Ec2Rates              = var.ec2_rates
    VipsTableName         = var.vips_table_name
    TimelineTableName     = var.timeline_table_name
    DeletionProtection    = tostring(var.deletion_protection)
    RetentionDays         = tostring(var.retention_days)
    ArchiveDays           = tostring(var.archive_days)
    LogRetentionDays      = tostring(var.log_retention_days)
    ReconcileSchedule     = tostring(var.reconcile_schedule)
    MetricsByVip          = tostring(var.metrics_by_vip)
    HandOverFolder        = var.hand_over_folder
  }
}

data "aws_s3_bucket" "code" {
  bucket = var.code_bucket
}

resource "aws_s3_object" "release" {
  for_each = toset(concat([local.template], local.zips))

  bucket      = data.aws_s3_bucket.code.id
  key         = "${local.prefix}${each.value}"
  source      = "${var.release_folder}/${each.value}"
  source_hash = filesha256("${var.release_folder}/${each.value}")
}

resource "aws_cloudformation_stack" "vipshift" {
  name         = "vipshift-${var.stage}"
  template_url = "https://${data.aws_s3_bucket.code.bucket_regional_domain_name}/${aws_s3_object.release[local.template].key}"
  parameters   = local.parameters
  capabilities = ["CAPABILITY_IAM"]
  on_failure   = "ROLLBACK"
  tags         = merge({ service = "vipshift", stage = var.stage }, var.tags)

  depends_on = [aws_s3_object.release]

  lifecycle {
    precondition {
      condition     = var.node_identity == "none" || (var.node_role_id != "" && var.node_role_arn != "")
      error_message = "node_identity is source, so node_role_id and node_role_arn must name the role of the nodes."
    }
  }
}
