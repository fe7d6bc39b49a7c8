// What is wrong with a VIP, in one word and in sentences. Pure.
//
// Invariant: health and reasons are made from one list, worst first, so that they never contradict each other: the health is
// that of the first entry, and a VIP with no entry is well.

import { listText } from '../../bounded.ts';
import { type Conflict, conflictText } from '../../network/conflict.ts';
import { type Mislabelled, mislabelledText } from '../../network/labels.ts';
import type { Observation } from '../../network/observation.ts';
import { aimText, type Step } from '../../network/step.ts';
import { ifDefined } from '../../optional.ts';
import { iso } from '../../time.ts';
import { flappingText } from '../../vip/flapping.ts';
import type { Lease } from '../../vip/lease.ts';
import { type Unheard, unheardFound } from '../../vip/unheard.ts';
import type { Override, Vip } from '../../vip/vip.ts';
import type { Assessment } from '../assess.ts';
import type { StandbyStatus } from './standby.ts';

export type Health =
  | 'well'
  | 'moving'
  | 'frozen'
  | 'unheard'
  | 'no owner'
  | 'drift'
  | 'conflict'
  | 'split brain'
  | 'unfit'
  | 'flapping'
  | 'mislabelled'
  | 'no standby'
  | 'unseen';

export interface Reason {
  readonly health: Exclude<Health, 'well'>;
  readonly text: string;
}

export interface Signs {
  readonly vip: Vip;
  /** Undefined where EC2 did not answer. */
  readonly seen: Observation | undefined;
  /** Undefined where EC2 did not answer. */
  readonly assessment: Assessment | undefined;
  /** Why there is no observation. */
  readonly unseen?: string | undefined;
  /** A live one. */
  readonly lease: Lease | undefined;
  /** A live one. */
  readonly freeze: Override | undefined;
  readonly splitBrain: readonly string[];
  readonly unheard: Unheard | undefined;
  readonly mislabelled: readonly Mislabelled[];
  readonly standbys: readonly StandbyStatus[];
}

/** The worst first: what an operator has to act on. */
export function reasonsOf(signs: Signs): readonly Reason[] {
  const { vip, lease, freeze, splitBrain, unheard } = signs;
  const because = (health: Reason['health'], texts: readonly string[]): readonly Reason[] =>
    texts.map((text) => ({ health, text }));
  const silence = because('unheard', ifDefined(unheard, (one) => [unheardFound(one)]) ?? []);
  const isQuiet = lease === undefined && freeze === undefined;
  return [
    // Before what was said: those words are old.
    ...(isQuiet ? silence : []),
    ...because(
      'split brain',
      splitBrain.length === 0 ? [] : [`${splitBrain.join(' and ')} both report MASTER`],
    ),
    ...because(
      'moving',
      ifDefined(lease, (one) => [`epoch ${one.epoch} is under way: ${one.cause.why}`]) ?? [],
    ),
    ...because('unseen', signs.unseen === undefined ? [] : [signs.unseen]),
    ...because('conflict', signs.assessment?.conflicts.map(conflictLine) ?? []),
    ...because(
      'frozen',
      ifDefined(freeze, (one) => [`frozen until ${iso(one.untilMs)} by ${one.by}: ${one.reason}`]) ?? [],
    ),
    // While it moves its cells differ from each other.
    ...(signs.assessment === undefined || lease !== undefined
      ? []
      : assessed(vip, signs.seen, signs.assessment)),
    ...(isQuiet ? [] : silence),
    ...because('mislabelled', signs.mislabelled.map(mislabelledText)),
    ...because('no owner', vip.owner === undefined ? [noOwnerText(vip)] : []),
    ...because(
      'no standby',
      vip.owner === undefined || unheard !== undefined ? [] : noStandby(signs.standbys),
    ),
  ];
}

function assessed(vip: Vip, seen: Observation | undefined, found: Assessment): readonly Reason[] {
  const reasons: Reason[] = [];
  if (found.reason.key === 'unseen') reasons.push({ health: 'unfit', text: found.why });
  else if (found.take !== undefined || found.drift.length > 0) {
    const drift = found.drift.map((step) => driftText(vip, seen, step));
    // Drift names its cells itself.
    const cause = found.reason.key === 'drift' || found.take === undefined ? [] : [found.take];
    for (const text of [...cause, ...drift]) reasons.push({ health: 'drift', text });
  }
  if (found.suspendedPin !== undefined)
    reasons.push({ health: 'unfit', text: `the pin is suspended: ${found.suspendedPin}` });
  if (found.drained !== undefined) reasons.push({ health: 'unfit', text: found.drained });
  if (found.leaving !== undefined) reasons.push({ health: 'unfit', text: found.leaving });
  for (const one of found.flapping) reasons.push({ health: 'flapping', text: flappingText(one) });
  return reasons;
}

const conflictLine = (conflict: Conflict): string =>
  `${conflict.cell} found ${conflict.found}: ${conflictText(conflict)}`;

/** What a cell is set to, what it should be, and whose these are. */
export function driftText(vip: Vip, seen: Observation | undefined, step: Step): string {
  const members = Object.values(vip.members);
  const whose = (eni: string | undefined): string => {
    const member = members.find((m) => m.eni === eni || (eni !== undefined && m.eipEni === eni));
    return member === undefined ? '' : ` of ${member.node}`;
  };
  const at = step.call === 'AssociateAddress' ? seen?.eips.find((e) => e.eip === step.eip)?.eni : step.from;
  const to = step.call === 'ModifyNetworkInterfaceAttribute' ? undefined : step.eni;
  return `${step.cell} is ${step.from}${whose(at)}, expected ${aimText(step)}${whose(to)}`;
}

const noOwnerText = ({ members }: Vip): string =>
  Object.keys(members).length === 0
    ? 'no node owns it: EC2 has shown no ENI with its label yet'
    : `no node owns it: none of ${listText(Object.keys(members).sort())} has reported MASTER`;

function noStandby(standbys: readonly StandbyStatus[]): readonly string[] {
  if (standbys.some(({ ready }) => ready)) return [];
  if (standbys.length === 0) return ['there is no second node to fail over to'];
  return [`no standby is ready: ${standbys.map(({ node, why }) => `${node} ${why.join(', ')}`).join('; ')}`];
}
