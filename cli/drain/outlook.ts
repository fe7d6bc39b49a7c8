// What a drain will do to each VIP, and what is against it: the election asked beforehand, and the questions of a forced
// failover's preflight for each node that a VIP would go to.
import { type Outlook, outlookOf } from '../../shared/controller/drained.ts';
import { declining } from '../../shared/controller/warned.ts';
import { lookAt } from '../../shared/forced-failover/preflight.ts';
import { statesOf } from '../../shared/network/next-owner.ts';
import type { HostStates } from '../../shared/network/observation.ts';
import { type EpochMs, iso } from '../../shared/time.ts';
import { elect } from '../../shared/vip/election.ts';
import type { Override, Vip } from '../../shared/vip/vip.ts';
import { leavingOf, withDrain, withoutDrain } from '../../shared/vip/vip.ts';
import { hint } from '../command/hint.ts';
import { type Session, surveyFor } from '../command/session.ts';

export interface Prospect {
  /** With the drains in it. */
  readonly vip: Vip;
  readonly outlook: Outlook;
  /** What is against the move. */
  readonly problems: readonly string[];
}

/** A drain for AWS's maintenance that is replaced is ended, as by undrain. */
export const withDrains = (vip: Vip, nodes: readonly string[], { now, ...drain }: DrainNow): Vip =>
  nodes
    .filter((node) => vip.members[node] !== undefined)
    .reduce((after, node) => withDrain(declining(after, node, now), node, drain), vip);

export interface DrainNow extends Override {
  readonly now: EpochMs;
}

export const withoutDrains = (vip: Vip, nodes: readonly string[], now: EpochMs): Vip =>
  nodes.reduce((after, node) => withoutDrain(declining(after, node, now), node), vip);

/** What AWS has scheduled for a node, after an operator's order has ended the drain for it. */
export function declinedText(vip: Vip, node: string): string | undefined {
  const declined = vip.declined?.[node];
  if (declined === undefined) return undefined;
  const { againMs, startsAtMs } = declined;
  const what = `AWS’s maintenance of ${node} at ${iso(startsAtMs)}`;
  return againMs === undefined
    ? `${vip.name}: it is not drained again for ${what}`
    : `${vip.name}: it is drained again at ${iso(againMs)}, ten minutes before ${what}`;
}

/** `vips`: with the drains in them. EC2 is not asked what is against it. */
export const outlooks = (vips: readonly Vip[], now: EpochMs): readonly Prospect[] =>
  vips.map((vip) => ({ vip, outlook: outlookOf(vip, now), problems: [] }));

/** `vips`: with the drains in them. */
export async function prospects(session: Session, vips: readonly Vip[]): Promise<readonly Prospect[]> {
  const all = outlooks(vips, session.now());
  const moving = all.filter(({ outlook }) => targetOf(outlook) !== undefined);
  if (moving.length === 0) return all;
  const [{ observations }, hosts] = await Promise.all([
    surveyFor(
      session,
      moving.map(({ vip }) => vip),
    ),
    hostsOf(session, new Set(moving.map(({ outlook }) => targetOf(outlook)!))),
  ]);
  return all.map((one) => {
    const to = targetOf(one.outlook);
    const seen = observations.get(one.vip.name);
    if (to === undefined || seen === undefined) return one;
    return { ...one, problems: lookAt(one.vip, seen, to, { reasons: [], hosts: hosts.get(to) }).reasons };
  });
}

async function hostsOf(
  { ports }: Session,
  nodes: ReadonlySet<string>,
): Promise<ReadonlyMap<string, HostStates | undefined>> {
  const states = [...nodes].map(async (node) => [node, await statesOf(ports.ec2, node)] as const);
  return new Map(await Promise.all(states));
}

export const targetOf = (outlook: Outlook): string | undefined =>
  outlook.key === 'moves' || outlook.key === 'demotes' ? outlook.to : undefined;

/** As things stand: where it goes, or why it stays. */
export function outlookText({ vip, outlook }: Prospect): string {
  const { name, owner } = vip;
  switch (outlook.key) {
    case 'clear':
      return `${name} is at ${owner ?? 'no node yet'}: nothing moves`;
    case 'moves':
      return `${name} goes from ${owner} to ${outlook.to}, routes only`;
    case 'demotes':
      return `${name} goes from ${owner} to ${outlook.to}, via keepalived`;
    case 'frozen':
      return `${name} stays at ${owner}: it is frozen until ${iso(vip.freeze!.untilMs)}; to let it move: ${hint(`unfreeze ${name}`)}`;
    case 'next-drained':
      return `${name} stays at ${owner}: keepalived would elect ${outlook.next}, which is drained too`;
    case 'last':
      return `${name} stays at ${owner}: no other node is eligible; ${hint(`status ${name}`)} shows why`;
    default:
      return outlook satisfies never;
  }
}

/** Members that are about to go by AWS's word: no targets either, and the owner has no time for a freeze. */
export const leavingTexts = ({ vip }: Prospect): readonly string[] =>
  Object.keys(vip.members)
    .sort()
    .flatMap((node) => {
      const cause = leavingOf(vip, node);
      return cause === undefined ? [] : [`${vip.name}: ${node} is about to go (${cause})`];
    });

/** Where the VIP goes when these drains end, should it be where the drain takes it by then; undefined where it stays. */
export function endText(
  { vip, outlook }: Prospect,
  nodes: readonly string[],
  untilMs: EpochMs,
): string | undefined {
  const at = targetOf(outlook) ?? vip.owner;
  if (at === undefined || outlook.key === 'frozen') return undefined;
  const { owner: to } = elect({ ...nodes.reduce(withoutDrain, vip), owner: at }, untilMs);
  if (to === undefined || to === at || outlook.key === 'demotes') return undefined;
  return `when the drain ends at ${iso(untilMs)}, ${vip.name} goes back to ${to} unless keepalived’s master is ${at} by then`;
}
