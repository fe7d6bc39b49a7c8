// The doctor on the policies of the VPC's endpoints. Where an endpoint answers to a service's public name, every node of the VPC
// goes through it, and its policy decides who may, whatever the nodes' role allows.
//
// Limit: a policy that depends on a condition that is not known here is not judged. A shim asks STS for the id of its role when
// it starts; one whose notify.conf has role_id does not, which cannot be seen from outside, so STS is a warning while the node is heard.

import { awsCommand, shellWord } from '../../place.ts';
import type { EndpointFact, NetworkFacts } from '../facts.ts';
import { type Finding, fault, warning } from '../finding.ts';
import { type Call, denies, may, type Policy, type Statement, statements } from '../service/iam-policy.ts';
import { type IdentityFacts, type RoleFact, sending } from '../service/identity-facts.ts';
import { endpointFor } from './way.ts';

export function endpointPolicyFindings(facts: NetworkFacts, identity: IdentityFacts): readonly Finding[] {
  const { bus } = identity;
  if (facts.way === undefined || bus === undefined) return [];
  const events = endpointFor(facts.way, 'events');
  const sts = endpointFor(facts.way, 'sts');
  return identity.roles.flatMap((role) => {
    const nodes = role.nodes.filter((node) => facts.vip.members[node] !== undefined);
    const [node] = nodes;
    if (node === undefined) return [];
    const report = sending(identity, bus.arn, role, node);
    const question = { ...report, action: 'sts:GetCallerIdentity', resource: '*' };
    const areHeard = nodes.every((one) => facts.vip.claims[one] !== undefined);
    const passing = (endpoint: EndpointFact | undefined, call: Call, say: typeof fault) =>
      endpoint === undefined ? [] : shut(facts, endpoint, { role, nodes, call, say });
    return [...passing(events, report, fault), ...passing(sts, question, areHeard ? warning : fault)];
  });
}

interface Passing {
  readonly role: RoleFact;
  readonly nodes: readonly string[];
  readonly call: Call;
  readonly say: typeof fault;
}

function shut(
  { vip, place }: NetworkFacts,
  { endpoint, policy }: EndpointFact,
  { role, nodes, call: bare, say }: Passing,
): readonly Finding[] {
  const account = role.arn.split(':')[4] ?? '';
  const call: Call = {
    ...bare,
    context: {
      ...bare.context,
      ...{ 'aws:sourcevpc': vip.vpc, 'aws:sourcevpce': endpoint },
      ...{ 'aws:principalaccount': account, 'aws:resourceaccount': account },
    },
  };
  if (policy === undefined || may({ policies: [policy] }, call) !== false) return [];
  const document = shellWord(JSON.stringify(letting(policy, role, call)));
  return [
    say('endpoint-policy', {
      vips: [vip.name],
      subject: endpoint,
      found: `its policy does not let ${call.action} of ${role.role} (${nodes.join(', ')}) through`,
      expected:
        'that it does: the service’s public name leads to the endpoint, and the nodes have no other way',
      remedy: {
        command: awsCommand(
          `ec2 modify-vpc-endpoint --vpc-endpoint-id ${endpoint} --policy-document ${document}`,
          place,
        ),
      },
    }),
  ];
}

/** The policy without what denies the call, and with a statement that allows it where none does. */
function letting(policy: Policy, role: RoleFact, call: Call): Policy {
  const left = statements(policy).filter((one) => !denies({ Statement: one }, call));
  const Allow: Statement = {
    Effect: 'Allow',
    Principal: { AWS: role.arn },
    Action: call.action,
    Resource: call.resource,
  };
  const Statement = may({ policies: [{ Statement: left }] }, call) === false ? [...left, Allow] : left;
  return { Version: '2012-10-17', Statement };
}
