// Faults of the deployed service, seeded for the doctor: a selection, since the rest is seeded in a world in memory.
import { UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { DisableRuleCommand, EnableRuleCommand, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import { DeleteRolePolicyCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { DeleteFunctionConcurrencyCommand, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { ROLE } from '../../../../lab/aws/whole/policies.ts';
import type { Seed } from './seeds.ts';

export const serviceFaults: readonly Seed[] = [
  {
    fault: 'the rule of notices disabled',
    check: 'rule-disabled',
    remedy:
      /^aws events enable-rule --name vipshift-dev-NoticeRule\S+ --event-bus-name vipshift-dev --region eu-central-1$/,
    async seed(s) {
      const EventBusName = s.stack.deployment.busName;
      const { Rules } = await s.events.send(new ListRulesCommand({ EventBusName }));
      const Name = Rules!.find((rule) => rule.Name!.includes('NoticeRule'))!.Name!;
      await s.events.send(new DisableRuleCommand({ EventBusName, Name }));
      return { subject: Name, undo: () => s.events.send(new EnableRuleCommand({ EventBusName, Name })) };
    },
  },
  {
    fault: 'the schedule of reconcile disabled',
    check: 'rule-disabled',
    remedy: /^aws events enable-rule --name vipshift-dev-Reconcile\S+ --region eu-central-1$/,
    async seed(s) {
      s.front.schedule = false;
      const { Rules } = await s.events.send(new ListRulesCommand({}));
      return {
        subject: Rules!.find((rule) => rule.ScheduleExpression !== undefined)!.Name!,
        async undo() {
          s.front.schedule = true;
          const Name = Rules!.find((rule) => rule.ScheduleExpression !== undefined)!.Name!;
          await s.events.send(new DisableRuleCommand({ Name }));
        },
      };
    },
  },
  {
    fault: 'reconcile with a reserved concurrency of 0',
    check: 'function-concurrency',
    remedy:
      /^aws lambda delete-function-concurrency --function-name vipshift-dev-reconcile --region eu-central-1$/,
    async seed(s) {
      const FunctionName = s.stack.deployment.functions.reconcile;
      const { lambda } = s.clients;
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
      return {
        subject: FunctionName,
        undo: () => lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName })),
      };
    },
  },
  {
    fault: 'a record that does not run out',
    check: 'storage-ttl',
    remedy: /^aws dynamodb update-time-to-live --table-name vipshift-dev-timeline /,
    async seed(s) {
      const TableName = s.stack.deployment.timelineTable;
      const turn = (Enabled: boolean) =>
        s.clients.dynamodb.send(
          new UpdateTimeToLiveCommand({
            TableName,
            TimeToLiveSpecification: { Enabled, AttributeName: 'expiresAtS' },
          }),
        );
      await turn(false);
      return { subject: TableName, undo: () => turn(true) };
    },
  },
  {
    fault: 'a role that was made again',
    check: 'role-id',
    remedy:
      /^npm run deploy -- --stage dev --region eu-central-1 --param nodeRoleId=AROANEW\w+ --param nodeRoleArn=arn:aws:iam::/,
    async seed(s) {
      const was = s.iamFront.roleId;
      s.iamFront.roleId = 'AROANEWANEWANEWANEW1';
      return {
        subject: ROLE,
        undo: async () => {
          s.iamFront.roleId = was;
        },
      };
    },
  },
  {
    fault: 'a role with an explicit Deny, which no attachment repairs',
    check: 'role-put-events',
    remedy: /^aws iam delete-role-policy --role-name vipshift-node --policy-name no --region eu-central-1$/,
    async seed(s) {
      const Statement = { Effect: 'Deny', Action: 'events:*', Resource: '*' };
      const at = { RoleName: ROLE, PolicyName: 'no' };
      await s.iam.send(new PutRolePolicyCommand({ ...at, PolicyDocument: JSON.stringify({ Statement }) }));
      return {
        subject: ROLE,
        undo: () => s.iam.send(new DeleteRolePolicyCommand(at)).catch(() => undefined),
      };
    },
  },
];
