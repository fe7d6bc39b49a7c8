// The doctor: every precondition of a VIP that can be looked up, judged. Pure; what is looked up comes in as facts.
//
// Each finding names what was found, what is expected, and the command that fixes it. Limit: it sees what AWS's APIs and
// the given files say; it does not log in to nodes, so policy routing and rp_filter there stay the operator's.

import { addressFindings, shadowFindings } from './addresses.ts';
import { eniFindings } from './enis.ts';
import type { NetworkFacts } from './facts.ts';
import { type Finding, inOrder } from './finding.ts';
import { labelFindings } from './labels.ts';
import { endpointPolicyFindings } from './members/endpoint-policies.ts';
import { dnsFindings } from './members/way.ts';
import { membersOf, nextOwnerFindings } from './next-owner.ts';
import type { ServicePort } from './packets/rules.ts';
import { approverFindings } from './service/approvers.ts';
import { busFindings, roleFindings } from './service/identity.ts';
import type { IdentityFacts } from './service/identity-facts.ts';
import { forgerFindings, invokerFindings } from './service/invokers.ts';
import { type ShimFacts, shimFindings } from './service/shim.ts';
import { type ServiceFacts, stackFindings } from './service/stack.ts';
import { tableStateFindings, type ViewTimes, viewFindings } from './service/storage.ts';
import { watchFindings } from './service/watch.ts';
import { functionFindings, ruleFindings } from './service/wiring.ts';
import { tableFindings } from './tables.ts';
import { type Unchecked, uncheckedFindings } from './unchecked.ts';

export interface Facts {
  readonly network: NetworkFacts;
  readonly identity?: IdentityFacts;
  readonly shim: ShimFacts;
  /** When the view of each VIP was last confirmed; undefined where that could not be looked up. */
  readonly views?: ViewTimes;
  /** Ports that clients use; empty when the operator did not say. */
  readonly ports: readonly ServicePort[];
  readonly unchecked: readonly Unchecked[];
}

export function diagnose(facts: Facts): readonly Finding[] {
  const { network, identity, shim, ports } = facts;
  return inOrder([
    ...addressFindings(network),
    ...shadowFindings(network),
    ...eniFindings(network),
    ...dnsFindings(network),
    ...nextOwnerFindings(network, membersOf(network), ports),
    ...tableFindings(network),
    ...labelFindings(network),
    ...(identity === undefined
      ? []
      : [
          ...roleFindings(network.vip, identity),
          ...busFindings(network.vip, identity),
          ...endpointPolicyFindings(network, identity),
          ...(identity.approvers === undefined
            ? []
            : [
                ...approverFindings(network.vip, identity.approvers),
                ...forgerFindings(network.vip, identity.approvers),
              ]),
        ]),
    ...shimFindings(network.vip, shim),
    ...viewFindings(network.vip, facts.views, shim.now),
    ...uncheckedFindings(network.vip, facts.unchecked),
  ]);
}

/** Of the deployed service, once for all VIPs. */
export const diagnoseService = (facts: ServiceFacts): readonly Finding[] =>
  inOrder([
    ...stackFindings(facts),
    ...ruleFindings(facts),
    ...functionFindings(facts),
    ...invokerFindings(facts),
    ...watchFindings(facts),
    ...tableStateFindings(facts),
  ]);
