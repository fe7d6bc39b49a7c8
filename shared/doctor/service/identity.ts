// The doctor on who may say what: the nodes' role, its trust policy, and the bus. On them rests that a claim's source
// is an identity that IAM vouches for.

import { awsCommand, deployCommand, type Place } from '../../place.ts';
import { SOURCE_PREFIX } from '../../vip/admission.ts';
import type { Vip } from '../../vip/vip.ts';
import { type Finding, fault, warning } from '../finding.ts';
import { type Call, denies, type Principal, principalText, trusted } from './iam-policy.ts';
import { type IdentityFacts, type RoleFact, sending } from './identity-facts.ts';
import { deniedBy, idFindings, maySend, widthFindings } from './node-role.ts';

const ec2Services = ['ec2.amazonaws.com', 'ec2.amazonaws.com.cn'];
const isEc2 = ({ kind, name }: Principal): boolean => kind === 'Service' && ec2Services.includes(name);

export function roleFindings(vip: Vip, facts: IdentityFacts): readonly Finding[] {
  const { bus, busName, roles, place, nodePolicy = `$(${nodePolicyOf(place)})` } = facts;
  const own = (node: string) => vip.members[node] !== undefined;
  const found: Finding[] = facts.without.filter(own).map((node) =>
    fault('role-put-events', {
      vips: [vip.name],
      subject: node,
      found: 'the instance has no role, so its shim cannot sign',
      expected: `a role that may events:PutEvents on ${busName}`,
      remedy: {
        command: awsCommand(
          `ec2 associate-iam-instance-profile --instance-id ${node} --iam-instance-profile Name=PROFILE`,
          place,
        ),
      },
    }),
  );
  for (const role of roles.filter(({ nodes }) => nodes.length === 0 || nodes.some(own))) {
    const open = trusted(role.trust).filter((who) => !isEc2(who));
    if (open.length > 0) {
      found.push(
        fault('role-trust', {
          vips: [vip.name],
          subject: role.role,
          found: `may also be taken by ${open.map(principalText).join(', ')}, who then choose the session’s name and with it the node they speak for`,
          expected: 'ec2.amazonaws.com only',
          remedy: {
            command: awsCommand(
              `iam update-assume-role-policy --role-name ${role.role} --policy-document '${onlyEc2(open)}'`,
              place,
            ),
          },
        }),
      );
    }
    if (role.trust !== undefined && !trusted(role.trust).some(isEc2))
      found.push(
        fault('role-trust', {
          vips: [vip.name],
          subject: role.role,
          found: 'EC2 may not take it, so no instance gets credentials of it',
          expected: 'ec2.amazonaws.com only',
          remedy: {
            command: awsCommand(
              `iam update-assume-role-policy --role-name ${role.role} --policy-document '${onlyEc2(open)}'`,
              place,
            ),
          },
        }),
      );
    if (bus === undefined) continue;
    const node = role.nodes[0] ?? NO_NODE;
    if (denies(bus.policy, sending(facts, bus.arn, role, node))) found.push(shutOut(vip, facts, role));
    found.push(...widthFindings(vip, facts, role), ...idFindings(vip, facts, role));
    const call = sending(facts, bus.arn, role, node);
    if (maySend(role, call)) continue;
    const denied = deniedBy(vip, facts, role, call);
    if (denied !== undefined) {
      found.push(denied);
      continue;
    }
    found.push(
      fault('role-put-events', {
        vips: [vip.name],
        subject: role.role,
        found: `no policy of it allows events:PutEvents on ${bus.arn} with the source ${SOURCE_PREFIX}\${aws:userid}`,
        expected: 'that and nothing else',
        remedy: {
          command: awsCommand(
            `iam attach-role-policy --role-name ${role.role} --policy-arn ${nodePolicy}`,
            place,
          ),
        },
      }),
    );
  }
  return found;
}

/** The nodes run under another role than the one that was deployed with. */
const shutOut = (vip: Vip, { busName, place }: IdentityFacts, role: RoleFact): Finding =>
  fault('bus-policy', {
    vips: [vip.name],
    subject: role.role,
    found: `the policy of the bus ${busName} denies this role the nodes’ source`,
    expected: 'that it takes it from the nodes’ role',
    remedy: {
      command: deployCommand(place, paramsOf(role)),
    },
  });

/** The stack's parameters about the nodes' role. */
export const paramsOf = (role?: Pick<RoleFact, 'roleId' | 'arn'>) => ({
  nodeRoleId: role?.roleId || 'ROLE_ID',
  nodeRoleArn: role?.arn || 'ROLE_ARN',
});

/** The stack's own policy for nodes, by its output. */
const nodePolicyOf = (place: Place): string =>
  awsCommand(
    `cloudformation describe-stacks --stack-name vipshift-${place.stage} --query "Stacks[0].Outputs[?OutputKey=='NodePolicyArn'].OutputValue" --output text`,
    place,
  );

/** What else the bus vouches for: each is a Deny of its own, and without it something else has to reject such events. */
function unguarded(vip: Vip, facts: IdentityFacts): readonly Finding[] {
  const { bus, busName, roles, place } = facts;
  if (bus?.policy === undefined) return [];
  const put = (source: string, detailType: string, arn: string): Call => ({
    ...{ action: 'events:PutEvents', resource: bus.arn },
    context: { 'events:source': source, 'events:detail-type': detailType, 'aws:principalarn': arn },
  });
  const [role] = roles;
  const asAnother = role === undefined ? [] : [sending(facts, bus.arn, role, OTHER_NODE)];
  const known = { 'aws:userid': `${role?.roleId}:${role?.nodes[0] ?? NO_NODE}` };
  const calls: readonly (readonly [string, Call])[] = [
    [
      'claims from a source that is neither a node’s nor the doctor’s',
      put('stranger', facts.detailType, STRANGER),
    ],
    ['events in the controller’s name', put(CONTROLLER, 'stranger', STRANGER)],
    ['announcements of failovers that the functions did not make', put('stranger', FINISHED, STRANGER)],
    ...asAnother.map(
      (call) =>
        [
          'claims of a node in another node’s name',
          { ...call, context: { ...call.context, ...known } },
        ] as const,
    ),
  ];
  const missing = calls.filter(([, call]) => !denies(bus.policy, call)).map(([what]) => what);
  if (missing.length === 0) return [];
  return [
    warning('bus-policy', {
      vips: [vip.name],
      subject: busName,
      found: `the policy of the bus does not deny ${missing.join(', ')}`,
      expected: 'the policy that the stack made',
      remedy: { command: deployCommand(place, paramsOf(role)) },
    }),
  ];
}

const STRANGER = 'arn:aws:iam::000000000000:role/stranger';
const NO_NODE = 'i-00000000000000000';
const OTHER_NODE = 'i-ffffffffffffffff0';
/** As the functions announce (shared/aws/events/publisher.ts). */
const CONTROLLER = 'vipshift.controller';
const FINISHED = 'VIP Failover Finished';

const onlyEc2 = (open: readonly Principal[]): string => {
  const china = open.some(({ name }) => name.endsWith('.amazonaws.com.cn'));
  const Service = china ? 'ec2.amazonaws.com.cn' : 'ec2.amazonaws.com';
  const statement = { Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' };
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
};

export function busFindings(vip: Vip, facts: IdentityFacts): readonly Finding[] {
  const { bus, busName, probe, roles, place } = facts;
  if (bus === undefined) {
    return [
      fault('bus-probe', {
        vips: [vip.name],
        subject: busName,
        found: 'there is no such bus; PutEvents to it answers as if all were well',
        expected: 'the stack’s bus',
        remedy: {
          command: deployCommand(place),
          remark: 'or ask for another --stage or --region',
        },
      }),
    ];
  }
  const stranger = {
    role: 'a stranger',
    arn: STRANGER,
    roleId: 'AROASTRANGER',
  };
  const known = roles[0]?.nodes[0] ?? NO_NODE;
  const faked = sending(facts, bus.arn, { ...stranger, nodes: [], policies: [] }, known);
  const found: Finding[] = [];
  if (!denies(bus.policy, faked)) {
    found.push(
      fault('bus-policy', {
        vips: [vip.name],
        subject: busName,
        found:
          bus.policy === undefined
            ? 'the bus has no policy: any principal of the account that may PutEvents can report as a node'
            : 'the bus’s policy does not deny other principals the nodes’ source',
        expected: `a Deny of events:PutEvents with the source ${SOURCE_PREFIX}* for all but the node role`,
        remedy: {
          command: deployCommand(place, paramsOf(roles[0])),
        },
      }),
    );
  }
  found.push(...unguarded(vip, facts));
  if (probe !== undefined && !probe.arrived) {
    found.push(
      fault('bus-probe', {
        vips: [vip.name],
        subject: busName,
        found: `an event sent to the bus left no trace in the record within ${Math.round(probe.waitedMs / 1000)} s`,
        expected: 'bus, rule, function and table in a row',
        remedy: {
          command: awsCommand(`events list-rules --event-bus-name ${busName}`, place),
          remark: `is each ENABLED? Then the log of the function vipshift-${place.stage}-failover, and the two dead-letter queues (docs/operations.md)`,
        },
      }),
    );
  }
  return found;
}
