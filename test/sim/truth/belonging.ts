// Where a VIP belongs when several nodes say MASTER, and when only silence can tell: the protocol's rules applied to the truth.
import { LATE_AFTER } from '../../../shared/vip/claim.ts';
import type { History } from '../history/history.ts';
import type { Forged } from '../node/forged.ts';
import { bootId, type Machine, sinceAt } from '../node/machine.ts';
import { instanceOf } from '../node/vrrp.ts';
import type { Scheduler } from '../world/scheduler.ts';
import { isAccepted, type Known, type KnownClaim } from './known.ts';
import type { Log } from './log.ts';
import { registrations } from './registrations.ts';
import { type Belonging, belongs, isDrained, type Orders } from './truth.ts';

/** What decides where a VIP belongs: the nodes, what they have said, and what operators want. */
export interface Situation {
  readonly story: Pick<History, 'vips'>;
  readonly sched: Pick<Scheduler, 'now'>;
  readonly machines: readonly Machine[];
  readonly known: Known;
  readonly orders: readonly Orders[];
  readonly leavings: readonly unknown[];
  readonly forged: readonly Forged[];
  readonly log: Pick<Log, 'answers' | 'writes'>;
}

/** The two transitions of a split are ordered for certain when they are this far apart (guarantee 2). */
const APART_MS = 2000;
/** And this much more where no claim came soon after one of them: then the owner keeps the VIP (docs/decisions/0046). */
const DOUBT_MS = 1998;
const DRIFT_MAX = 500e-6;
/** What is sent that soon after its transition dates it for good. */
const YOUNG_MS = 15_000;

/**
 * Only silence shows one that reported MASTER after the one who serves did, or who heard its lower advert, and who
 * will not be heard any more; or whom an order names. Who died before it could contradict a MASTER made up in its name
 * has reported MASTER, as far as anybody knows.
 */
export function silenceTells(world: Situation, vip: number): boolean {
  const { name } = world.story.vips[vip]!;
  const heardOf = (node: string) => world.machines.some((m) => m.id === node && m.alive && m.labelled);
  // What was delivered to an invocation that was killed may be known, or may not.
  const known = [world.known.newest, world.known.accepted].flatMap((of) => [...of.get(name)!.values()]);
  const told = known.filter((t) => t.word.state === 'MASTER');
  const serving = told.filter((t) => heardOf(t.word.node)).map((t) => t.sinceMs);
  const newest = Math.max(...serving, Number.NEGATIVE_INFINITY);
  const gone = told.filter((t) => !heardOf(t.word.node));
  const pinned = world.orders[vip]!.pin?.node;
  const madeUp = world.forged.filter(({ word }) => word.vip === name && word.state === 'MASTER');
  return (
    madeUp.some(({ word }) => !heardOf(word.node)) ||
    gone.some((t) => t.sinceMs > newest - APART_MS || t.advertMs > newest + APART_MS) ||
    (pinned !== undefined && !heardOf(pinned)) ||
    isRestGone(world, vip, known, heardOf)
  );
}

/** While nodes are drained or about to go a standby may have the VIP that is dead by now. */
const isRestGone = (
  { orders, sched, leavings }: Situation,
  vip: number,
  known: readonly KnownClaim[],
  heardOf: (node: string) => boolean,
): boolean =>
  (leavings.length > 0 ||
    Object.keys(orders[vip]!.drains ?? {}).some((node) => isDrained(orders[vip]!, node, sched.now()))) &&
  known.some(({ word }) => (word.state === 'MASTER' || word.state === 'BACKUP') && !heardOf(word.node));

/** Of several masters the newest; one that heard lower adverts may take it back. */
export function whereItBelongs(world: Situation, vip: number): Belonging | undefined {
  const { hold = 'both' } = world.story.vips[vip]!;
  const wanted = { orders: world.orders[vip]!, hold, now: world.sched.now() };
  const where = belongs(world.machines, vip, wanted);
  if (where === undefined || where.nodes.length === 1 || where.isStandby) return where;
  const masters = world.machines.filter((m) => where.nodes.includes(m.id));
  const at = (m: Machine) => sinceAt(m, m.instances[vip]!);
  // A clock that stood still after the transition makes it seem later by as much, wherever no word from before was heard.
  if (masters.some((m) => (m.clock.parts.at(-1)?.stoodSinceMs ?? Number.NEGATIVE_INFINITY) >= at(m)))
    return where;
  const newest = Math.max(...masters.map(at));
  const isDated = masters.every((m) => isDatedForGood(world, m, vip));
  const apartMs = APART_MS + (isDated ? 0 : DOUBT_MS + (world.sched.now() - newest) * DRIFT_MAX);
  const told = world.known.newest.get(world.story.vips[vip]!.name)!;
  // What it heard less than 3 s after the other's transition may have been told late, and does not count.
  const nodes = masters
    .filter((m) => at(m) > newest - apartMs || (told.get(m.id)?.advertMs ?? 0) > newest + APART_MS)
    .map((m) => m.id);
  return { nodes, why: `newest of ${where.nodes.length} masters` };
}

/**
 * Whether a claim of the node's last transition was recorded that was sent soon after it and not delivered late. What is made up in
 * its name may cost it that date: what it says itself afterwards is sent long after the transition. So may a removal, which forgets it.
 */
const isDatedForGood = ({ log, forged }: Situation, m: Machine, vip: number): boolean => {
  const { vipName, sinceUs } = instanceOf(m, vip);
  if (forged.some(({ word, came }) => word.vip === vipName && word.bootId === bootId(m) && came.length > 0))
    return false;
  const registeredMs = registrations({ log })(vipName).at(-1) ?? 0;
  return log.answers.some(
    ({ word, stampMs, deliveredAtMs, answer }) =>
      deliveredAtMs >= registeredMs &&
      word.vip === vipName &&
      word.bootId === bootId(m) &&
      word.since === sinceUs &&
      word.forged === undefined &&
      isAccepted(answer) &&
      word.uptimeMs - word.since / 1000 <= YOUNG_MS &&
      deliveredAtMs - stampMs <= LATE_AFTER,
  );
};
