// Rows of the deployed service.

import { TOPIC } from '../names.ts';
import type { World } from '../world.ts';
import { type Row, rule } from './row.ts';

const off = (what: string, part: string): Row => ({
  what,
  check: 'rule-disabled',
  seed: (world) => {
    rule(world, part).State = 'DISABLED';
  },
});
/** A stack with the direct path, and the function URL that there is now. */
function direct(world: World, authType: string | undefined): void {
  world.stack!.Parameters.DirectPath = 'on';
  world.url = authType;
}
export const service: readonly Row[] = [
  off('the rule of claims disabled', 'ClaimRule'),
  off('the rule of notices disabled', 'NoticeRule'),
  off('the schedule of reconcile disabled', 'Reconcile'),
  off('the hints of instances disabled', 'InstanceHints'),
  {
    what: 'the rule of claims gone',
    check: 'rule-missing',
    seed: (world) => {
      world.rules = world.rules.filter((one) => !one.Name.includes('ClaimRule'));
    },
  },
  {
    what: 'the rule of claims without a target',
    check: 'rule-target',
    seed: (world) => {
      rule(world, 'ClaimRule').targets = [];
    },
  },
  {
    what: 'a rule of claims that hands over something else',
    check: 'rule-target',
    seed: (world) => {
      world.inputs[rule(world, 'ClaimRule').Name] = { Input: '{}' };
    },
  },
  {
    what: 'a rule of claims that matches something else',
    check: 'rule-pattern',
    seed: (world) => Object.assign(rule(world, 'ClaimRule'), { EventPattern: '{"detail-type":["vrrp"]}' }),
  },
  {
    what: 'failover with a reserved concurrency of 0',
    check: 'function-concurrency',
    seed: (world) => {
      world.functions.failover!.reserved = 0;
    },
  },
  {
    what: 'reconcile with a reserved concurrency of 0',
    check: 'function-concurrency',
    seed: (world) => {
      world.functions.reconcile!.reserved = 0;
    },
  },
  {
    what: 'a function that is gone',
    check: 'function-state',
    seed: (world) => {
      world.functions.runbook = undefined;
    },
  },
  {
    what: 'a function that reads another table',
    check: 'function-settings',
    seed: (world) => {
      world.functions.failover!.config.Environment.Variables.VIPSHIFT_VIPS_TABLE = 'other';
    },
  },
  {
    what: 'a function that EventBridge may not invoke',
    check: 'function-permission',
    seed: (world) => {
      world.functions.failover!.policy = [];
    },
  },
  {
    what: 'a rule of another bus that may invoke failover',
    check: 'failover-invokers',
    seed: (world) => {
      world.functions.failover!.policy.push({
        ...{ Sid: 'other', Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' } },
        Action: 'lambda:InvokeFunction',
        Condition: { ArnLike: { 'AWS:SourceArn': rule(world, 'InstanceHints').Arn } },
      });
    },
  },
  {
    what: 'another account that may invoke failover',
    check: 'failover-invokers',
    seed: (world) => {
      world.functions.failover!.policy.push({
        ...{ Sid: 'partner', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::999999999999:root' } },
        Action: 'lambda:InvokeFunction',
      });
    },
  },
  {
    what: 'a function URL that everybody may call',
    check: 'failover-invokers',
    seed: (world) => {
      direct(world, 'AWS_IAM');
      world.functions.failover!.policy.push({
        ...{ Sid: 'public', Effect: 'Allow', Principal: '*', Action: 'lambda:InvokeFunctionUrl' },
        Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } },
      });
    },
  },
  {
    what: 'a function URL without a signature',
    check: 'direct-url',
    seed: (world) => direct(world, 'NONE'),
  },
  {
    what: 'a function URL that is gone',
    check: 'direct-url',
    seed: (world) => direct(world, undefined),
  },
  {
    what: 'a function URL that the stack did not make',
    check: 'direct-url',
    seed: (world) => {
      world.url = 'AWS_IAM';
    },
  },
  {
    what: 'the bus without its policy',
    check: 'bus-policy',
    seed: (world) => {
      world.bus!.Policy = '';
    },
  },
  ...(
    [
      ['a bus that takes claims of any source', 'OnlyNodesAndTheDoctorSendClaims'],
      ['a bus on which anyone speaks as the controller', 'OnlyTheFunctionsSpeakAsTheController'],
      ['a bus on which anyone announces failovers', 'OnlyTheFunctionsAnnounce'],
      ['a bus on which a node may speak as another', 'EachNodeSpeaksAsItself'],
    ] as const
  ).map(
    ([what, sid]): Row => ({
      what,
      check: 'bus-policy',
      seed: (world) => {
        const policy = JSON.parse(world.bus!.Policy) as { Statement: { Sid: string }[] };
        const Statement = policy.Statement.filter(({ Sid }) => Sid !== sid);
        world.bus!.Policy = JSON.stringify({ ...policy, Statement });
      },
    }),
  ),
  {
    what: 'the bus gone',
    check: 'bus-probe',
    seed: (world) => {
      world.bus = undefined;
    },
  },
  {
    what: 'the record without TTL',
    check: 'storage-ttl',
    seed: (world) => {
      world.dynamo['vipshift-dev-timeline']!.ttl = undefined;
    },
  },
  {
    what: 'the registry with TTL',
    check: 'storage-ttl',
    seed: (world) => {
      world.dynamo['vipshift-dev-vips']!.ttl = 'expiresAtS';
    },
  },
  {
    what: 'deletion protection off',
    check: 'storage-protection',
    seed: (world) => {
      world.dynamo['vipshift-dev-vips']!.isProtected = false;
    },
  },
  {
    what: 'point-in-time recovery off',
    check: 'storage-recovery',
    seed: (world) => {
      world.dynamo['vipshift-dev-vips']!.recovers = false;
    },
  },
  {
    what: 'a dead-letter queue that is not empty',
    check: 'dead-letters',
    seed: (world) => {
      world.queues['https://sqs/rule-dead-letters'] = 3;
    },
  },
  {
    what: 'the notices without a subscriber',
    check: 'notices-unheard',
    byHand: true,
    seed: (world) => {
      world.subscriptions = [];
    },
  },
  {
    what: 'the notices with a subscriber who did not confirm',
    check: 'notices-unheard',
    byHand: true,
    seed: (world) => {
      world.subscriptions = ['PendingConfirmation'];
    },
  },
  { what: 'an alarm that is gone', check: 'alarm-missing', seed: (world) => void world.alarms.splice(0, 1) },
  {
    what: 'an alarm whose actions are disabled',
    check: 'alarm-mute',
    seed: (world) => {
      world.alarms[0]!.ActionsEnabled = false;
    },
  },
  {
    what: 'an alarm without an action',
    check: 'alarm-mute',
    seed: (world) => {
      world.alarms[2]!.AlarmActions = [`${TOPIC}-other`];
    },
  },
  {
    what: 'the dead man’s alarm raised',
    check: 'alarm-raised',
    byHand: true,
    seed: (world) => {
      world.alarms[0]!.StateValue = 'ALARM';
    },
  },
  {
    what: 'a view that reconcile does not confirm any more',
    check: 'view-old',
    byHand: true,
    seed: (world) => {
      world.viewsAtMs.web! -= 3_600_000;
    },
  },
  {
    what: 'a stack of an older release than the command line',
    check: 'release',
    seed: (world) => {
      world.stack!.Outputs.Version = '0.9.0';
    },
  },
  {
    what: 'a stack of a newer release than the command line',
    check: 'release',
    byHand: true,
    seed: (world) => {
      world.stack!.Outputs.Version = '99.0.0';
    },
  },
  {
    what: 'a stack that does not say its release',
    check: 'release',
    seed: (world) => {
      delete world.stack!.Outputs.Version;
    },
  },
  {
    what: 'a stack that could not be rolled back',
    check: 'stack-state',
    byHand: true,
    seed: (world) => {
      world.stack!.StackStatus = 'UPDATE_ROLLBACK_FAILED';
    },
  },
];
