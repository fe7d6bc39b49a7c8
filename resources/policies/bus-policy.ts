/**
 * The bus's own policy: what makes a source an identity, whatever else a principal of this account may do with events. It only
 * denies; who may send at all is said by each principal's own policies.
 *
 * Invariant: no honest sender meets a Deny. A node sends `vipshift.notify/<its own aws:userid>` (its own policy allows nothing else),
 * the doctor `vipshift.doctor`, a function `vipshift.controller`. A request may carry ten entries, so events:source and
 * events:detail-type have several values, and one that does not fit denies the request.
 *
 * The live harness puts the same statements on a bus of its own (live/assumptions/).
 */
import type { Json } from '../roles/policy-text.ts';
import type { Statement } from '../roles/role.ts';

const CLAIM = 'VRRP State Change';
const ANNOUNCEMENTS = [
  'VIP Failover Finished',
  'VIP Failover Failed',
  'VIP Node Flapping',
  'VIP Node Leaving',
  'VIP Node Warned',
];
const NODES = 'vipshift.notify/*';

export interface BusPolicyInput {
  /** The bus's ARN. */
  readonly bus: Json;
  /** Roles that may announce how a failover ended, that a node flaps or is about to go, and that EC2 has scheduled its end. */
  readonly announcers: readonly Json[];
}

/** For every bus: claims come from nodes and the doctor's probe, announcements from the functions. */
export function everyBus({ bus, announcers }: BusPolicyInput): readonly Statement[] {
  const others = { ArnNotEquals: { 'aws:PrincipalArn': announcers } };
  return [
    deny('OnlyNodesAndTheDoctorSendClaims', bus, {
      'ForAnyValue:StringEquals': { 'events:detail-type': CLAIM },
      'ForAnyValue:StringNotLike': { 'events:source': [NODES, 'vipshift.doctor'] },
    }),
    deny('OnlyTheFunctionsSpeakAsTheController', bus, {
      'ForAnyValue:StringEquals': { 'events:source': 'vipshift.controller' },
      ...others,
    }),
    deny('OnlyTheFunctionsAnnounce', bus, {
      'ForAnyValue:StringEquals': { 'events:detail-type': ANNOUNCEMENTS },
      ...others,
    }),
  ];
}

/** The one source that a node may use, as IAM reads it. */
export const ownSource = `vipshift.notify/\${aws:userid}`;

/** For a bus that knows its nodes' role. `own`: the source above, as the writer of the policy has to spell it. */
export function withNodeRole(bus: Json, nodeRole: Json, own: Json): readonly Statement[] {
  return [
    deny('OnlyNodesSpeakAsNodes', bus, {
      'ForAnyValue:StringLike': { 'events:source': NODES },
      ArnNotEquals: { 'aws:PrincipalArn': nodeRole },
    }),
    // Whatever a second policy on the role allows. aws:userid is in every signed request (IAM user guide, global condition keys).
    deny('EachNodeSpeaksAsItself', bus, {
      'ForAnyValue:StringLike': { 'events:source': NODES },
      'ForAnyValue:StringNotEquals': { 'events:source': own },
    }),
  ];
}

/** Which key of the request shows that EC2 itself gave the credentials to an instance. */
export const instanceKeys = {
  'instance-arn': 'ec2:SourceInstanceARN',
  'instance-vpc': 'aws:EC2InstanceSourceVPC',
} as const;
export type InstanceKey = keyof typeof instanceKeys;

/** Sources contradict each other on whether these keys reach PutEvents, so each is off until the live harness has seen it. */
export const onlyInstances = (bus: Json, key: InstanceKey): Statement =>
  deny('OnlyInstancesSpeakAsNodes', bus, {
    'ForAnyValue:StringLike': { 'events:source': NODES },
    Null: { [instanceKeys[key]]: 'true' },
  });

const deny = (sid: string, bus: Json, condition: Json): Statement => ({
  ...{ Sid: sid, Effect: 'Deny', Principal: '*', Action: 'events:PutEvents', Resource: bus },
  Condition: condition,
});

/** As the template has it. */
export function busPolicy(): Json {
  const bus = busArn;
  // osls would take the variable for one of its own.
  const own = { 'Fn::Sub': ownSource.replace('${', '${!') };
  const role = (name: string) => ({ 'Fn::GetAtt': [`${name}Role`, 'Arn'] });
  const when = (condition: string, statement: Statement) => ({
    'Fn::If': [condition, statement, { Ref: 'AWS::NoValue' }],
  });
  return {
    Version: '2012-10-17',
    Statement: [
      ...everyBus({ bus, announcers: ['Failover', 'Reconcile', 'Runbook'].map(role) }),
      ...withNodeRole(bus, { Ref: 'NodeRoleArn' }, own).map((statement) => when('HasNodeRole', statement)),
      when('NodesShowInstanceArn', onlyInstances(bus, 'instance-arn')),
      when('NodesShowInstanceVpc', onlyInstances(bus, 'instance-vpc')),
    ],
  };
}

/** By name: the bus's policy names roles, and their policies name the bus. */
export const busArn = {
  'Fn::Sub': `arn:\${AWS::Partition}:events:\${AWS::Region}:\${AWS::AccountId}:event-bus/vipshift-\${Stage}`,
};
