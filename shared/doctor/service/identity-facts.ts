// What the doctor knows of identities: the nodes' roles, the bus, and the call by which a node reports.
import type { Place } from '../../place.ts';
import { SOURCE_PREFIX } from '../../vip/admission.ts';
import type { ApproverFacts } from './approvers.ts';
import type { Policy } from './iam-policy.ts';

export interface RoleFact {
  readonly role: string;
  readonly arn: string;
  /** AROA… */
  readonly roleId: string;
  /** Nodes that run under it. */
  readonly nodes: readonly string[];
  readonly policies: readonly Policy[];
  /** Where each of `policies` is, in the same order: the name of an inline one, or the ARN of one that is attached. */
  readonly places?: readonly string[];
  /** The most that any policy of it may allow. */
  readonly boundary?: Policy;
  readonly trust?: Policy;
}

export interface IdentityFacts {
  readonly place: Place;
  readonly detailType: string;
  readonly busName: string;
  /** Undefined when there is no such bus. */
  readonly bus?: { readonly arn: string; readonly policy?: Policy };
  readonly roles: readonly RoleFact[];
  /** Nodes without an instance profile. */
  readonly without: readonly string[];
  /** The role id that the functions take claims of; undefined where it is not known, or where they take any member's. */
  readonly expectedRoleId?: string;
  /** The ARN of the stack's own policy for nodes; undefined where the stack could not be looked up. */
  readonly nodePolicy?: string;
  /** Undefined when it could not be looked up. */
  readonly approvers?: ApproverFacts;
  /** What became of an event sent end to end; undefined when none was sent. */
  readonly probe?: { readonly arrived: boolean; readonly waitedMs: number };
}

/** A node's report, as IAM sees it. */
export const sending = (facts: IdentityFacts, arn: string, role: RoleFact, node: string) => ({
  action: 'events:PutEvents',
  resource: arn,
  context: {
    'events:source': `${SOURCE_PREFIX}${role.roleId}:${node}`,
    'events:detail-type': facts.detailType,
    'aws:userid': `${role.roleId}:${node}`,
    'aws:principalarn': role.arn,
    ...ofAnInstance,
  },
});

/** What only EC2's own credentials have, and a bus may ask for. */
const ofAnInstance = {
  'ec2:sourceinstancearn': 'arn:aws:ec2:region:000000000000:instance/i-00000000000000000',
  'aws:ec2instancesourcevpc': 'vpc-00000000000000000',
};
