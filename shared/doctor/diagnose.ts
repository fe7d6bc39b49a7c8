// The doctor: every precondition of a VIP that can be looked up, judged. Pure; what is looked up comes in as facts.
//
// Each finding names what was found, what is expected, and the command that fixes it. Limit: it sees what AWS's APIs and
// the given files say; it does not log in to nodes, so policy routing and rp_filter there stay the operator's.

import type { Vip } from '../vip/vip.ts';
import { addressFindings, shadowFindings } from './addresses.ts';
import { eniFindings } from './enis.ts';
import type { NetworkFacts } from './facts.ts';
import { type Finding, inOrder, warning } from './finding.ts';
import { labelFindings } from './labels.ts';
import { memberFindings } from './members/members.ts';
import { aclFindings } from './packets/acls.ts';
import { filterFindings } from './packets/groups.ts';
import type { ServicePort } from './packets/rules.ts';
import { approverFindings } from './service/approvers.ts';
import { busFindings, roleFindings } from './service/identity.ts';
import type { IdentityFacts } from './service/identity-facts.ts';
import { type ShimFacts, shimFindings } from './service/shim.ts';
import { type ServiceFacts, stackFindings } from './service/stack.ts';
import { tableStateFindings, type ViewTimes, viewFindings } from './service/storage.ts';
import { watchFindings } from './service/watch.ts';
import { functionFindings, ruleFindings } from './service/wiring.ts';
import { tableFindings } from './tables.ts';

export interface Facts {
  readonly network: NetworkFacts;
  readonly identity?: IdentityFacts;
  readonly shim: ShimFacts;
  /** When the view of each VIP was last confirmed; undefined where that could not be looked up. */
  readonly views?: ViewTimes;
  /** Ports that clients use; empty when the operator did not say. */
  readonly ports: readonly ServicePort[];
  /** What could not be looked up, and why. */
  readonly unchecked: readonly { readonly what: string; readonly why: string }[];
}

export function diagnose(facts: Facts): readonly Finding[] {
  const { network, identity, shim, ports } = facts;
  return inOrder([
    ...addressFindings(network),
    ...shadowFindings(network),
    ...eniFindings(network),
    ...memberFindings(network),
    ...tableFindings(network),
    ...labelFindings(network),
    ...filterFindings(network, ports),
    ...aclFindings(network, ports),
    ...(identity === undefined
      ? []
      : [
          ...roleFindings(network.vip, identity),
          ...busFindings(network.vip, identity),
          ...(identity.approvers === undefined ? [] : approverFindings(network.vip, identity.approvers)),
        ]),
    ...shimFindings(network.vip, shim),
    ...viewFindings(network.vip, facts.views, shim.now),
    ...facts.unchecked.map(({ what, why }) => unchecked(network.vip, what, why)),
  ]);
}

/** Of the deployed service, once for all VIPs. */
export const diagnoseService = (facts: ServiceFacts): readonly Finding[] =>
  inOrder([
    ...stackFindings(facts),
    ...ruleFindings(facts),
    ...functionFindings(facts),
    ...watchFindings(facts),
    ...tableStateFindings(facts),
  ]);

const unchecked = (vip: Vip, what: string, why: string): Finding =>
  warning('unchecked', {
    vips: [vip.name],
    subject: what,
    found: why,
    expected: 'to be looked up',
    remedy: {
      sentence: 'allow your role the call (resources/policies/operators/ has them all), or look yourself',
    },
  });
