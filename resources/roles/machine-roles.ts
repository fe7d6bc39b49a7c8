/** What the workflows and the rules that start them may do. */
import type { Json } from './policy-text.ts';
import { allow, arn, ec2Arn, roleOf, type Statement, tagKey } from './role.ts';

const states = (name: string, statements: readonly Statement[]): Json =>
  roleOf(`the workflow ${name}`, name, 'states.amazonaws.com', statements);

export const machineRoleResources = (): Json => ({
  Resources: {
    FailoverMachineRole: states('failover', [
      // every state that has a step in shared/forced-failover/steps.ts
      allow('lambda:InvokeFunction', arn.function('Runbook')),
      // demote, promote: our document only …
      allow('ssm:SendCommand', {
        'Fn::Sub': `arn:\${AWS::Partition}:ssm:\${AWS::Region}:\${AWS::AccountId}:document/\${HandOverDocument}`,
      }),
      // … and only on instances that have the stage's tag
      allow('ssm:SendCommand', ec2Arn('instance'), {
        Null: { [tagKey('ssm:resourceTag')]: 'false' },
      }),
      // notify
      allow('sns:Publish', arn.notices),
    ]),
    NoticeMachineRole: states('notice', [
      // sendNotice
      allow('sns:Publish', arn.notices),
    ]),
    RedriveMachineRole: states('redrive', [
      // receive, forget: both queues
      allow('sqs:ReceiveMessage', [arn.functionFailures, arn.ruleDeadLetters]),
      allow('sqs:DeleteMessage', [arn.functionFailures, arn.ruleDeadLetters]),
      // readLetter; toFailover, toReconcile, toNotice: whichever function the event was for
      allow('lambda:InvokeFunction', ['Runbook', 'Failover', 'Reconcile'].map(arn.function)),
      allow('states:StartExecution', arn.noticeMachine),
    ]),
    WarningMachineRole: states('warning', [
      // readWarning
      allow('lambda:InvokeFunction', arn.function('Reconcile')),
      // startDepartures
      allow('states:StartExecution', arn.departureMachine),
    ]),
    DepartureMachineRole: states('departure', [
      // leaveNode, reportDeparture
      allow('lambda:InvokeFunction', arn.function('Reconcile')),
      // startFailovers: where keepalived has to give the VIP away first
      allow('states:StartExecution', arn.failoverMachine),
      // tellStuck, notify
      allow('sns:Publish', arn.notices),
    ]),
    WarningRuleRole: roleOf(
      'the rules WarningRule, HealthRule and WarnedRule',
      'warning-rule',
      'events.amazonaws.com',
      [
        // a warning of AWS starts the workflow that reads it
        allow('states:StartExecution', arn.warningMachine),
      ],
    ),
    NoticeRuleRole: roleOf('the rule NoticeRule', 'notice-rule', 'events.amazonaws.com', [
      // an announced failover starts its notice
      allow('states:StartExecution', arn.noticeMachine),
    ]),
  },
});
