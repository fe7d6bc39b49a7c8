// The doctor on the nodes' role beyond what it must be allowed: what denies it all the same, what it may besides, and whether the
// functions know it by its present id.
//
// Limit: service control policies and session policies are not seen. What the role may do to things that are not vipshift's is
// its owner's business.
import { awsCommand, deployCommand, type Place, shellWord } from '../../place.ts';
import { SOURCE_PREFIX } from '../../vip/admission.ts';
import type { Vip } from '../../vip/vip.ts';
import { type Finding, fault, warning } from '../finding.ts';
import { allows, type Call, denies, may, type Policy, type Statement, statements } from './iam-policy.ts';
import { type IdentityFacts, type RoleFact, sending } from './identity-facts.ts';

/** A Deny whose condition cannot be judged counts as not met. */
export const maySend = ({ policies, boundary }: RoleFact, call: Call): boolean =>
  allows(policies, call) && (boundary === undefined || allows([boundary], call));

/** An explicit Deny, or a boundary without it: no policy that is attached helps. */
export function deniedBy(
  vip: Vip,
  { place: here }: IdentityFacts,
  role: RoleFact,
  call: Call,
): Finding | undefined {
  const about = {
    vips: [vip.name],
    subject: role.role,
    expected: `that it may events:PutEvents with the source ${SOURCE_PREFIX}\${aws:userid}`,
  };
  const at = role.policies.findIndex((policy) => denies(policy, call));
  if (at !== -1) {
    const place = role.places?.[at];
    return fault('role-put-events', {
      ...about,
      found: `${place === undefined ? 'a policy of it' : `its policy ${place}`} denies events:PutEvents: a Deny wins over every Allow`,
      remedy:
        place === undefined
          ? { sentence: `take the Deny out of the policies of ${role.role}` }
          : withoutDeny(role, { place, here }, role.policies[at]!, call),
    });
  }
  const { boundary } = role;
  if (boundary === undefined || !allows(role.policies, call)) return undefined;
  return fault('role-put-events', {
    ...about,
    found: 'its permissions boundary does not allow events:PutEvents, whatever its policies say',
    remedy: {
      sentence: `allow events:PutEvents on ${call.resource} in the boundary of ${role.role}, too`,
    },
  });
}

/** The policy as it is but for the statements that deny; without any left it goes. */
function withoutDeny(
  role: RoleFact,
  { place, here }: { readonly place: string; readonly here: Place },
  policy: Policy,
  call: Call,
) {
  const left = statements(policy).filter((one) => !denies({ Statement: one }, call));
  const document = shellWord(JSON.stringify({ Version: '2012-10-17', Statement: left }));
  const own = `--role-name ${role.role}`;
  if (place.startsWith('arn:'))
    return left.length === 0 || place.includes('::aws:policy/')
      ? { command: awsCommand(`iam detach-role-policy ${own} --policy-arn ${place}`, here) }
      : {
          command: awsCommand(
            `iam create-policy-version --policy-arn ${place} --policy-document ${document} --set-as-default`,
            here,
          ),
          remark: 'for everyone who has this policy',
        };
  return {
    command: awsCommand(
      left.length === 0
        ? `iam delete-role-policy ${own} --policy-name ${place}`
        : `iam put-role-policy ${own} --policy-name ${place} --policy-document ${document}`,
      here,
    ),
  };
}

/** A role that was made again has another id, under the same name. */
export function idFindings(
  vip: Vip,
  { expectedRoleId, place }: IdentityFacts,
  role: RoleFact,
): readonly Finding[] {
  if (expectedRoleId === undefined || role.roleId === '' || role.roleId === expectedRoleId) return [];
  return [
    fault('role-id', {
      vips: [vip.name],
      subject: role.role,
      found: `its id is ${role.roleId}; the functions take claims of ${expectedRoleId} only: each claim of its nodes is rejected`,
      expected: 'the same id: a role that was made again has a new one',
      remedy: {
        command: deployCommand(place, { nodeRoleId: role.roleId, nodeRoleArn: role.arn }),
      },
    }),
  ];
}

/** What would let a node, or who has its credentials, act as another node or in the controller's place. */
export function widthFindings(vip: Vip, facts: IdentityFacts, role: RoleFact): readonly Finding[] {
  const [, partition, , region, account] = facts.bus!.arn.split(':');
  const own = (service: string, what: string) => `arn:${partition}:${service}:${region}:${account}:${what}`;
  const { stage } = facts.place;
  const other = { ...role, nodes: [] };
  const asOther = sending(facts, facts.bus!.arn, other, 'i-ffffffffffffffff0');
  const calls: readonly (readonly [string, Call])[] = [
    [
      'report as another node (events:PutEvents with any source)',
      {
        ...asOther,
        context: {
          ...asOther.context,
          'aws:userid': `${role.roleId}:${role.nodes[0] ?? 'i-00000000000000000'}`,
        },
      },
    ],
    ...(
      [
        ['dynamodb:UpdateItem', own('dynamodb', `table/vipshift-${stage}-vips`)],
        ['dynamodb:PutItem', own('dynamodb', `table/vipshift-${stage}-timeline`)],
        ['dynamodb:DeleteItem', own('dynamodb', `table/vipshift-${stage}-timeline`)],
        ['ec2:ReplaceRoute', own('ec2', 'route-table/rtb-00000000000000000')],
        ['ec2:AssociateAddress', own('ec2', 'elastic-ip/eipalloc-00000000000000000')],
        ['ec2:CreateTags', own('ec2', 'network-interface/eni-00000000000000000')],
        ['lambda:UpdateFunctionCode', own('lambda', `function:vipshift-${stage}-failover`)],
        ['states:StartExecution', own('states', `stateMachine:vipshift-${stage}-failover`)],
        ['events:PutRule', own('events', `rule/vipshift-${stage}/rule`)],
        ['iam:PutRolePolicy', `arn:${partition}:iam::${account}:role/${role.role}`],
      ] as const
    ).map(([action, resource]) => [action, { action, resource, context: taggedAs(stage) }] as const),
  ];
  const wide = calls.filter(([, call]) => may(role, call) === true);
  if (wide.length === 0) return [];
  return [
    warning('role-wide', {
      vips: [vip.name],
      subject: role.role,
      found: `may also ${wide.map(([what]) => what).join(', ')}${placesText(
        role,
        wide.map(([, call]) => call),
      )}`,
      expected: 'of vipshift only events:PutEvents with its own node’s source',
      remedy: {
        sentence: `take that out of the policies of ${role.role}; the stack’s own for nodes is its output NodePolicyArn`,
      },
    }),
  ];
}

/** As if each had the tag: conditions on it are met. */
const taggedAs = (stage: string) => ({ [`aws:resourcetag/vipshift:${stage}`]: 'web' });

/** Which policies allow it. */
function placesText({ policies, places = [] }: RoleFact, calls: readonly Call[]): string {
  const named = places.filter((_, at) =>
    calls.some((call) => statements(policies[at]).some((one) => lets(one, call))),
  );
  return named.length === 0 ? '' : ` (${named.join(', ')})`;
}

const lets = (statement: Statement, call: Call): boolean =>
  may({ policies: [{ Statement: statement }] }, call) === true;
