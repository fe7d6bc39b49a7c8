// The deployed service on the local AWS, and the identities, brought to what a world says.
import {
  DeleteAlarmsCommand,
  DisableAlarmActionsCommand,
  EnableAlarmActionsCommand,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import {
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DisableRuleCommand,
  EnableRuleCommand,
  ListTargetsByRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  type Target,
} from '@aws-sdk/client-eventbridge';
import { PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  DeleteFunctionConcurrencyCommand,
  PutFunctionConcurrencyCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { SubscribeCommand, UnsubscribeCommand } from '@aws-sdk/client-sns';
import { ROLE } from '../../../../lab/aws/whole/policies.ts';
import type { World } from '../world/world.ts';
import { apart, differ, OutOfReach, type Part } from './difference.ts';
import { idOf, type Local } from './local-world.ts';

/** Targets of rules that have lost them. */
const kept = new Map<string, Target[]>();

export const rules: Part = async ({ setup, names }, from, to) => {
  const { events } = setup;
  for (const was of from.rules) {
    const is = to.rules.find((one) => one.Name === was.Name);
    if (is === undefined) throw new OutOfReach('a rule that is deleted, with its permissions');
    const [Name, EventBusName] = [idOf(names, was.Name), was.EventBusName];
    const how = (rule: typeof was) => {
      const { EventPattern, ScheduleExpression } = rule as {
        EventPattern?: string;
        ScheduleExpression?: string;
      };
      return { EventPattern, ScheduleExpression };
    };
    if (differ(how(was), how(is))) {
      if (how(was).ScheduleExpression) throw new OutOfReach('the schedule, which is off in the tests');
      await events.send(new PutRuleCommand({ Name, EventBusName, EventPattern: how(is).EventPattern }));
    }
    if (was.State !== is.State) {
      if (how(was).ScheduleExpression) setup.front.schedule = is.State === 'ENABLED';
      else if (is.State === 'DISABLED') await events.send(new DisableRuleCommand({ Name, EventBusName }));
      else await events.send(new EnableRuleCommand({ Name, EventBusName }));
    }
    if (differ(was.targets, is.targets)) {
      const { Targets = [] } = await events.send(new ListTargetsByRuleCommand({ Rule: Name, EventBusName }));
      if (is.targets.length === 0) {
        if (Targets.length > 0) kept.set(Name, Targets);
        await events.send(
          new RemoveTargetsCommand({ Rule: Name, EventBusName, Ids: Targets.flatMap(({ Id }) => Id ?? []) }),
        );
      } else if (kept.has(Name))
        await events.send(new PutTargetsCommand({ Rule: Name, EventBusName, Targets: kept.get(Name) }));
      else throw new OutOfReach('a target that does not exist');
    }
  }
};

export const functions: Part = async ({ setup }, from, to) => {
  const { lambda } = setup.clients;
  for (const [name, was] of Object.entries(from.functions)) {
    const is = to.functions[name];
    const FunctionName = `vipshift-dev-${name}`;
    if (was === undefined || is === undefined)
      throw new OutOfReach('a function that is deleted, with its code');
    const state = ({ config }: typeof was) => [config.State, config.LastUpdateStatus];
    if (differ(state(was), state(is))) throw new OutOfReach('a state that Lambda gives');
    if (differ(was.policy, is.policy))
      throw new OutOfReach('a permission, which the emulator asks for at other times');
    if (was.reserved !== is.reserved)
      await (is.reserved === undefined
        ? lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }))
        : lambda.send(
            new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: is.reserved }),
          ));
    if (differ([was.config.Timeout, was.config.Environment], [is.config.Timeout, is.config.Environment]))
      await lambda.send(
        new UpdateFunctionConfigurationCommand({
          ...{ FunctionName, Timeout: is.config.Timeout },
          Environment: { Variables: is.config.Environment.Variables },
        }),
      );
  }
};

export const watching: Part = async (local, from, to) => {
  const { names, alarms, sns } = local;
  const topic = idOf(names, from.alarms[0]!.AlarmActions![0]!);
  if (differ(from.queues, to.queues)) throw new OutOfReach('what waits in a queue');
  for (const was of from.alarms) {
    const is = to.alarms.find((one) => one.AlarmName === was.AlarmName);
    const AlarmNames = [was.AlarmName!];
    if (is === undefined) {
      await alarms.send(new DeleteAlarmsCommand({ AlarmNames }));
      continue;
    }
    if (differ(was.AlarmActions, is.AlarmActions)) await alarms.send(putOf(is, local));
    if (was.ActionsEnabled !== is.ActionsEnabled)
      await alarms.send(
        is.ActionsEnabled === true
          ? new EnableAlarmActionsCommand({ AlarmNames })
          : (new DisableAlarmActionsCommand({ AlarmNames }) as EnableAlarmActionsCommand),
      );
    if (was.StateValue !== is.StateValue)
      await alarms.send(
        new SetAlarmStateCommand({
          AlarmName: was.AlarmName,
          StateValue: is.StateValue,
          StateReason: 'seeded',
        }),
      );
  }
  for (const is of to.alarms)
    if (!from.alarms.some((one) => one.AlarmName === is.AlarmName)) await alarms.send(putOf(is, local));
  const { gone, came } = apart(from.subscriptions, to.subscriptions);
  for (const SubscriptionArn of gone)
    await sns.send(
      new UnsubscribeCommand({
        SubscriptionArn: idOf(names, SubscriptionArn).replace(/^.*(?=:\w{8}-)/, topic),
      }),
    );
  if (came.some((one) => one.endsWith('x'))) throw new OutOfReach('a subscription with another ARN');
  if (came.length > 0)
    await sns.send(
      new SubscribeCommand({ TopicArn: topic, Protocol: 'sqs', Endpoint: topic.replace('sns', 'sqs') }),
    );
};

function putOf({ AlarmName, AlarmActions = [] }: World['alarms'][0], { names, definitions }: Local) {
  const made = definitions.find((one) => one.AlarmName === AlarmName) as Record<string, unknown> | undefined;
  const input = Object.fromEntries(
    Object.entries(made ?? {}).filter(
      ([name]) => !/^(State|Alarm(Arn|ConfigurationUpdated)|EvaluationState)/.test(name),
    ),
  );
  return new PutMetricAlarmCommand({
    ...input,
    AlarmActions: AlarmActions.map((one) => idOf(names, one)),
  } as never);
}

export const storage: Part = async ({ setup }, from, to) => {
  const { dynamodb } = setup.clients;
  for (const [TableName, was] of Object.entries(from.dynamo)) {
    const is = to.dynamo[TableName];
    if (was === undefined || is === undefined) throw new OutOfReach('a table that is deleted');
    if (was.status !== is.status) throw new OutOfReach('a state that DynamoDB gives');
    if (was.isProtected !== is.isProtected)
      await dynamodb.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: is.isProtected }));
    if (was.recovers !== is.recovers)
      await dynamodb.send(
        new UpdateContinuousBackupsCommand({
          ...{ TableName },
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: is.recovers },
        }),
      );
    if (was.ttl !== is.ttl)
      await dynamodb.send(
        new UpdateTimeToLiveCommand({
          ...{ TableName },
          TimeToLiveSpecification: { Enabled: is.ttl !== undefined, AttributeName: is.ttl ?? was.ttl },
        }),
      );
  }
};

export const identities: Part = async ({ setup }, from, to) => {
  if (differ(from.profileOf, to.profileOf))
    throw new OutOfReach('an instance profile, which the lab has none of');
  setup.front.policy = to.bus?.Policy === '' ? '{"Statement":[]}' : to.bus?.Policy;
  setup.iamFront.roleId = to.role.RoleId;
  if (differ(from.inline, to.inline))
    await setup.iam.send(
      new PutRolePolicyCommand({
        ...{ RoleName: ROLE, PolicyName: 'vipshift' },
        PolicyDocument: to.inline.vipshift ?? '{"Version":"2012-10-17","Statement":[]}',
      }),
    );
};
