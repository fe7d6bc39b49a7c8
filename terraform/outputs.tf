output "bus_name" {
  description = "Where nodes send their claims and where finished failovers are announced."
  value       = aws_cloudformation_stack.vipshift.outputs["BusName"]
}

output "bus_arn" {
  description = "ARN of that bus."
  value       = aws_cloudformation_stack.vipshift.outputs["BusArn"]
}

output "direct_url" {
  description = "Where nodes send their claims as well; null without direct_path."
  value       = try(aws_cloudformation_stack.vipshift.outputs["DirectUrl"], null)
}

output "node_policy_arn" {
  description = "Policy for the nodes' role: modules/node attaches it."
  value       = aws_cloudformation_stack.vipshift.outputs["NodePolicyArn"]
}

output "node_hand_over_policy_arn" {
  description = "Policy for the nodes' role, for via-keepalived."
  value       = aws_cloudformation_stack.vipshift.outputs["NodeHandOverPolicyArn"]
}

output "vips_table_name" {
  description = "The registry."
  value       = aws_cloudformation_stack.vipshift.outputs["VipsTableName"]
}

output "timeline_table_name" {
  description = "The record of every failover."
  value       = aws_cloudformation_stack.vipshift.outputs["TimelineTableName"]
}

output "notices_topic_arn" {
  description = "Failovers and alarms; subscribe the operators on call."
  value       = aws_cloudformation_stack.vipshift.outputs["NoticesTopicArn"]
}

output "failover_machine_arn" {
  description = "The workflow of a forced failover."
  value       = aws_cloudformation_stack.vipshift.outputs["FailoverMachineArn"]
}

output "warning_machine_arn" {
  description = "The workflow that reads warnings of AWS."
  value       = aws_cloudformation_stack.vipshift.outputs["WarningMachineArn"]
}

output "departure_machine_arn" {
  description = "The workflow that empties nodes of which AWS has warned."
  value       = aws_cloudformation_stack.vipshift.outputs["DepartureMachineArn"]
}

output "redrive_machine_arn" {
  description = "The workflow that drives dead letters again."
  value       = aws_cloudformation_stack.vipshift.outputs["RedriveMachineArn"]
}

output "failover_function_name" {
  description = "Takes claims."
  value       = aws_cloudformation_stack.vipshift.outputs["FailoverFunctionName"]
}

output "reconcile_function_name" {
  description = "Runs every minute."
  value       = aws_cloudformation_stack.vipshift.outputs["ReconcileFunctionName"]
}

output "runbook_function_name" {
  description = "The steps of a forced failover."
  value       = aws_cloudformation_stack.vipshift.outputs["RunbookFunctionName"]
}

output "notice_machine_arn" {
  description = "Sends the notices."
  value       = aws_cloudformation_stack.vipshift.outputs["NoticeMachineArn"]
}

output "rule_dead_letters_url" {
  description = "Events that found no target."
  value       = aws_cloudformation_stack.vipshift.outputs["RuleDeadLettersUrl"]
}

output "function_failures_url" {
  description = "Events that a function gave up on."
  value       = aws_cloudformation_stack.vipshift.outputs["FunctionFailuresUrl"]
}

output "version" {
  description = "Of vipshift, as the stack has it."
  value       = aws_cloudformation_stack.vipshift.outputs["Version"]
}

output "stage" {
  description = "The stage, for modules/vip."
  value       = var.stage
}
