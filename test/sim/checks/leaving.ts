// A node that is about to go never leaves a VIP without the server that it had: where no other node took over it serves again. Where
// the VIP goes is drained.ts's to check, and that it does convergence.ts's. Where it stays with the node people hear of it with the next
// claim, once for each leaving, and not otherwise.
import { unfit } from '../../../shared/vip/election.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import type { FaultName } from '../history/history.ts';
import type { Written } from '../truth/log.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

export const leaving = (world: World): readonly Violation[] => [
  ...unserved(world),
  ...toldTwice(world),
  ...toldForNothing(world),
  ...notTold(world),
];

const unserved = ({ unserved: all }: World): readonly Violation[] =>
  all.map(({ vip, node, atMs }) => ({
    guarantee: 'leaving',
    vip,
    atMs,
    what: `${node} was its server, left, and no one serves it, though ${node} could`,
  }));

const noticesOf = ({ net }: World) => net.notices.filter(({ of }) => of === 'leaving');
const writesOf = ({ log }: World, vip: string): readonly Written[] =>
  log.writes.filter(({ after }) => after.name === vip);

const isLeaving = (vip: Vip, node: string): boolean => vip.claims[node]?.leaving !== undefined;

/** Between two notices the item has shown that the node stays. */
function toldTwice(world: World): readonly Violation[] {
  const notices = noticesOf(world);
  return notices.flatMap(({ atMs, vip, node = '' }, n) => {
    const before = notices.slice(0, n).findLast((one) => one.vip === vip && one.node === node);
    if (before === undefined) return [];
    // A caller may have been on its way for as long.
    const stayed = writesOf(world, vip).some(
      (w) => w.atMs > before.atMs - SENT_WITHIN_MS && w.atMs < atMs && !isLeaving(w.after, node),
    );
    if (stayed) return [];
    const what = `a second notice that ${node} leaves with it, of the leaving of which the first one came at ${before.atMs}`;
    return [{ guarantee: 'leaving' as const, vip, atMs, what }];
  });
}

/** From the write that notes it to the notice, its pauses and repetitions included. */
const SENT_WITHIN_MS = 20_000;

function toldForNothing(world: World): readonly Violation[] {
  return noticesOf(world).flatMap(({ atMs, vip, node = '' }) => {
    const writes = writesOf(world, vip).filter((w) => w.atMs <= atMs);
    const recent = writes.filter((_, n) => (writes[n + 1]?.atMs ?? atMs) >= atMs - SENT_WITHIN_MS);
    const isKept = ({ after }: Written) =>
      isKeptBy(after, node) && becameMasterWhileLeaving(world, after, node);
    if (recent.some((w) => isStranded(world, w.after, node, w.atMs) || isKept(w))) return [];
    const what = `a notice that ${node} leaves with it, though it did not`;
    return [{ guarantee: 'leaving' as const, vip, atMs, what }];
  });
}

/** It owns the VIP, leaves, and the VIP is frozen or has no other node that could be its owner, as the item says. */
function isStranded(world: World, vip: Vip, node: string, atMs: number): boolean {
  if (vip.owner !== node || !isLeaving(vip, node)) return false;
  const { freeze } = vip;
  const now = world.epochAt + atMs;
  return (freeze !== undefined && freeze.untilMs > now) || othersOf(vip, node, now).length === 0;
}

/** A drain that is over stands in the item until a sweep takes it out. */
const othersOf = (vip: Vip, node: string, now: number): readonly string[] =>
  Object.keys(vip.members).filter(
    (id) =>
      id !== node &&
      unfit(vip, id) === undefined &&
      !isLeaving(vip, id) &&
      (vip.drains?.[id]?.untilMs ?? now) <= now,
  );

/** Another one is master, or with hold `master` may become it: also one that leaves or is drained. */
const mayMove = (vip: Vip, node: string): boolean =>
  Object.keys(vip.members).some((id) => {
    if (id === node || unfit(vip, id) !== undefined) return false;
    const isGiven = vip.hold === 'master' && vip.claims[node]?.state !== 'MASTER';
    return isGiven || vip.claims[id]?.state === 'MASTER';
  });

const isKeptBy = (vip: Vip, node: string): boolean =>
  vip.owner === node && isLeaving(vip, node) && vip.claims[node]!.state === 'MASTER';

/** As it truly was: the item may have heard of nothing in between, where the bus was down. */
function becameMasterWhileLeaving({ known, leavings }: World, vip: Vip, node: string): boolean {
  const { bootId, since } = vip.claims[node]!;
  const atMs = known.at(bootId, since / 1000);
  if (vip.hold !== 'master' || atMs === undefined) return false;
  return leavings.some((one) => one.node === node && one.fromMs <= atMs && atMs <= one.untilMs);
}

/** With hold `master`: its keepalived gave the VIP away, and no other one took it, or no other one kept it. */
const becameMaster = ({ before, after }: Written, node: string): boolean =>
  after.hold === 'master' &&
  before !== undefined &&
  isLeaving(before, node) &&
  before.claims[node]!.state !== 'MASTER' &&
  isLeaving(after, node) &&
  after.claims[node]!.state === 'MASTER';

/** With these a notice may be lost, or its caller with it. */
const loses: readonly FaultName[] = [
  ...(['announcement failed', 'invocation killed', 'invocation paused', 'slow start'] as const),
  'first carrier dies',
  ...(['store failed before effect', 'store reply lost', 'store write repeated'] as const),
  ...(['store write landed late', 'call breaks'] as const),
];
const TOLD_WITHIN_MS = 5000;

/** A claim was recorded while it was so, and it stayed so. */
function notTold(world: World): readonly Violation[] {
  const { odds, vips } = world.story;
  if (loses.some((fault) => odds[fault] !== undefined)) return [];
  return vips.flatMap(({ name: vip }) => {
    const writes = writesOf(world, vip);
    const found = writes.find((w, n) => {
      const node = w.after.owner ?? '';
      const later = writes.slice(n + 1).filter(({ atMs }) => atMs <= w.atMs + TOLD_WITHIN_MS);
      const isClaim = w.by !== undefined && w.by.hint === undefined && w.before?.claims !== w.after.claims;
      if (!isClaim || w.atMs + TOLD_WITHIN_MS > world.endAtMs) return false;
      const keeps = ({ after, atMs }: Written) =>
        isStranded(world, after, node, atMs + TOLD_WITHIN_MS) && !mayMove(after, node);
      const isAgain = becameMaster(w, node) && [w, ...later].every(({ after }) => isKeptBy(after, node));
      if (!isAgain && ![w, ...later].every(keeps)) return false;
      const untilMs = w.atMs + TOLD_WITHIN_MS;
      // The failover to another node fails, which is what people have heard of, or hear of now.
      const tried = w.after.tried?.node ?? node;
      const hasFailed = world.net.notices.some(
        (one) =>
          one.vip === vip &&
          one.of === 'failed' &&
          one.atMs >= w.atMs - TOLD_WITHIN_MS &&
          one.atMs <= untilMs,
      );
      return (
        !hasFailed &&
        tried === node &&
        !noticesOf(world).some((one) => one.vip === vip && one.node === node && one.atMs <= untilMs)
      );
    });
    if (found === undefined) return [];
    const what = `${found.after.owner} leaves with it, and no one is told`;
    return [{ guarantee: 'leaving' as const, vip, atMs: found.atMs, what }];
  });
}
