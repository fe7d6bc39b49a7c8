// The health of one VIP in sentences: what would keep a failover from happening, or from doing what it should. Pure.
//
// Invariant: a VIP without trouble has an owner that is fit, a second node that is fit, and nothing that was left alone.
// Limit: it judges words and EC2's answers; whether the service behind the VIP works is keepalived's to say.
import { type Conflict, conflictText } from '../network/conflict.ts';
import { unseenText } from '../switch/run-epoch.ts';
import { unfit, unfitText } from '../vip/election.ts';
import { type Flapping, flappingText } from '../vip/flapping.ts';
import type { Vip } from '../vip/vip.ts';

export interface Signs {
  readonly conflicts: readonly Conflict[];
  readonly flapping: readonly Flapping[];
  readonly suspendedPin?: string;
  /** The owner is drained and keeps the VIP: the sentence. */
  readonly drained?: string;
  /** The owner is about to go and keeps the VIP: the sentence. */
  readonly leaving?: string;
  /** The node that the election names and EC2 does not show with a labelled ENI. */
  readonly unseen?: string;
}

/** One sentence each; empty in health. */
export function troubleOf(vip: Vip, signs: Signs): readonly string[] {
  const reasons: string[] = [];
  if (signs.unseen !== undefined) reasons.push(unseenText(signs.unseen));
  if (signs.suspendedPin !== undefined) reasons.push(`the pin is suspended: ${signs.suspendedPin}`);
  if (signs.drained !== undefined) reasons.push(signs.drained);
  if (signs.leaving !== undefined) reasons.push(signs.leaving);
  reasons.push(...signs.conflicts.map((c) => `left alone: ${c.cell} (${c.found}): ${conflictText(c)}`));
  reasons.push(...signs.flapping.map(flappingText));
  // A VIP that no node has ever reported is not in service yet.
  if (Object.keys(vip.claims).length === 0) return reasons;
  if (vip.owner === undefined) reasons.push('no node owns the VIP');
  for (const node of Object.keys(vip.members).sort()) {
    const reason = unfit(vip, node);
    if (reason !== undefined)
      reasons.push(`${node === vip.owner ? 'the owner' : 'a standby'} is unfit: ${unfitText(reason)}`);
  }
  if (vip.owner !== undefined && vip.members[vip.owner] === undefined)
    reasons.push(`the owner is unfit: ${unfitText({ key: 'no-member', node: vip.owner })}`);
  if (Object.keys(vip.members).length < 2) reasons.push('there is no second node to fail over to');
  return reasons;
}
