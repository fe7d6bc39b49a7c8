// A forced failover acts on what is so now. No one is demoted on what was so once; a stop after the demotion has the
// old master raised again at once; what succeeds is not undone for taking long; and nothing of it stays behind in the item.
//
// What counts is the item as it was, version by version, and the states that the workflow entered.

import { FORCED_LASTS } from '../../../shared/forced-failover/under-way.ts';
import { type EpochMs, epochMs } from '../../../shared/time.ts';
import { elect, isLiveOrder, unfit, unfitText } from '../../../shared/vip/election.ts';
import { isLive } from '../../../shared/vip/lease.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { drainOf } from '../../../shared/vip/vip.ts';
import type { Execution } from '../functions/execution.ts';
import type { Odds } from '../history/history.ts';
import type { Written } from '../truth/log.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

/** From a read of the item to what the workflow does next: a write, an answer, Step Functions' own steps. */
const STEP_MS = 2500;

type Say = (atMs: number, what: string) => void;

export const forced = (world: World): readonly Violation[] => [
  ...world.executions.flatMap((execution) => {
    const found: Violation[] = [];
    const say: Say = (atMs, what) =>
      found.push({ guarantee: 'orders', vip: execution.order.vip, atMs, what: `${execution.name}: ${what}` });
    demotedOnTruth(world, execution, say);
    stoppedAtOnce(world, execution, say);
    notUndoneWhileMoving(world, execution, say);
    leavesNothing(world, execution, say);
    return found;
  }),
  ...written(world),
];

/** How much older than its consequence a look at the item may be. */
function lookMaxMs({ odds, blows = [] }: { odds: Odds; blows?: readonly unknown[] }): number {
  const store: readonly (keyof Odds)[] = [
    'store failed before effect',
    'store reply lost',
    'store write landed late',
    'slow start',
  ];
  return (
    STEP_MS +
    (odds['invocation paused'] === undefined && blows.length === 0 ? 0 : 45_000) +
    (odds['step repeated'] === undefined ? 0 : 8000) +
    (store.every((name) => odds[name] === undefined) ? 0 : 15_000)
  );
}

/** Clocks of sandboxes differ: what runs out may be over for one of them and not for another. */
const DOUBT_MS = 300;

interface Version {
  readonly atMs: number;
  readonly untilMs: number;
  readonly item: Vip | undefined;
}

/** The item as it was at the first moment, and each later version until the last one. */
function versions(world: World, name: string, fromMs: number, toMs: number): readonly Version[] {
  const writes = world.log.writes.filter((w) => w.after.name === name && w.atMs <= toMs);
  const before = writes.findLast((w) => w.atMs <= fromMs);
  const first = { atMs: fromMs, item: before?.after ?? writes[0]?.before };
  const all = [first, ...writes.filter((w) => w.atMs > fromMs).map((w) => ({ atMs: w.atMs, item: w.after }))];
  return all.map((version, n) => ({ ...version, untilMs: all[n + 1]?.atMs ?? toMs }));
}

const enteredAt = ({ path, enteredAtMs }: Execution, state: string): number | undefined =>
  enteredAtMs[path.indexOf(state)];

/** What stands against it, in words of its own: the code under test has others. */
function against(item: Vip | undefined, { order, name }: Execution, now: EpochMs): string | undefined {
  if (item === undefined || item.removedAtMs !== undefined) return 'the VIP was removed';
  if (isLiveOrder(item.freeze, now)) return 'the VIP was frozen';
  if (isLiveOrder(item.pin, now) && item.pin!.node !== order.to) return `it was pinned to ${item.pin!.node}`;
  if (drainOf(item, order.to, now) !== undefined) return `${order.to} was drained`;
  const why = unfit(item, order.to);
  if (why !== undefined) return unfitText(why);
  return item.forced?.execution === name ? undefined : 'the order did not stand in the item';
}

/** What stood against it for as long as the item was so; undefined when anybody may have found nothing. */
function standing(world: World, execution: Execution, { atMs, untilMs, item }: Version): string | undefined {
  const [began, ended] = [atMs, untilMs + DOUBT_MS].map((at) =>
    against(item, execution, epochMs(world.epochAt + at)),
  );
  return began === undefined ? undefined : ended;
}

/** At the moment of the demotion, or as shortly before it as anybody can look, everything is so in the item. */
function demotedOnTruth(world: World, execution: Execution, say: Say): void {
  const atMs = enteredAt(execution, 'demote');
  const { demoted, order } = execution;
  if (atMs === undefined || demoted === undefined) return;
  const found = versions(world, order.vip, atMs - lookMaxMs(world.story), atMs).map((version) =>
    version.item !== undefined && version.item.owner !== demoted
      ? `the owner was ${version.item.owner}`
      : standing(world, execution, version),
  );
  if (found.every((why) => why !== undefined))
    say(atMs, `demoted ${demoted} on what was so once: ${found.at(-1)}`);
}

/** Once something stands against it, no one waits for the claim any longer, and the old master is raised again. */
function stoppedAtOnce(world: World, execution: Execution, say: Say): void {
  const fromMs = enteredAt(execution, 'awaitClaim');
  const toMs = execution.answeredAtMs.get('awaitClaim') ?? enteredAt(execution, 'undo');
  if (fromMs === undefined || toMs === undefined) return;
  const history = versions(world, execution.order.vip, fromMs, toMs);
  frozenGoesBack(history, execution, say);
  const reason = (version: Version) => standing(world, execution, version);
  const clear = history.findLastIndex((version) => reason(version) === undefined);
  const first = history[clear + 1];
  if (first === undefined) return;
  const why = reason(first)!;
  if (toMs - first.atMs > lookMaxMs(world.story))
    say(first.atMs, `waited for the claim ${Math.round(toMs - first.atMs)} ms longer, though ${why}`);
}

/** Also where the freeze is over by the time someone looks: it has cancelled the order. */
function frozenGoesBack(history: readonly Version[], execution: Execution, say: Say): void {
  const { order, path } = execution;
  const froze = history.find(
    ({ item }, n) => n > 0 && item?.freeze !== undefined && item.freeze !== history[n - 1]!.item?.freeze,
  );
  // An older command line leaves the order where it is; a short freeze of its own may come and go unseen.
  const cancelled = froze?.item?.forced === undefined;
  if (froze === undefined || !cancelled || froze.item?.owner === order.to) return;
  if (froze.item?.lease === undefined && !path.includes('promote'))
    say(froze.atMs, 'was frozen after the demotion, and did not raise the old master again');
}

/** A holder that moves it to the target under a lease of long standing is not to be undone. */
function notUndoneWhileMoving(world: World, execution: Execution, say: Say): void {
  const atMs = enteredAt(execution, 'undo');
  const askedAtMs = enteredAt(execution, 'switchVip');
  const { order, name, path } = execution;
  if (atMs === undefined || askedAtMs === undefined || path.includes('verify')) return;
  const history = versions(world, order.vip, atMs - 5000 - lookMaxMs(world.story), atMs);
  const moving = history.every(({ atMs: at, item }) => {
    const now = epochMs(world.epochAt + at);
    const others = isLive(item?.lease, now) && item?.lease?.cause.id !== name;
    return others && against(item, execution, now) === undefined && elect(item!, now).owner === order.to;
  });
  if (moving)
    say(atMs, `is undone while epoch ${history.at(-1)!.item!.epoch} moves the VIP where it was ordered`);
}

/** Where no one is killed and the store answers, the order has left the item when the workflow ends. */
function leavesNothing(world: World, { name, order, endedAtMs }: Execution, say: Say): void {
  const { odds, blows = [] } = world.story;
  const hurt = Object.keys(odds).some((fault) => fault.startsWith('store') || fault.startsWith('invocation'));
  if (endedAtMs === undefined || hurt || blows.length > 0) return;
  const item = versions(world, order.vip, endedAtMs, endedAtMs)[0]?.item;
  if (item?.forced?.execution === name) say(endedAtMs, 'has ended, and stands in the item as under way');
}

function written(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const { by, before, after, atMs } of world.log.writes) {
    if (before?.forced === after.forced) continue;
    const say = (what: string) => found.push({ guarantee: 'orders', vip: after.name, atMs, what });
    const whose = (after.forced ?? before?.forced)?.execution ?? '';
    if (by !== undefined && !by.name.startsWith(`${whose} `)) say(`${by.name} touched the order ${whose}`);
    if (after.forced === undefined) continue;
    const now = epochMs(world.epochAt + atMs);
    if (isLiveOrder(before?.forced, now) && before!.forced!.execution !== whose)
      say(`${whose} began while ${before!.forced!.execution} was under way`);
    if (after.forced.untilMs > now + FORCED_LASTS + 300) say(`${whose} would stand there for too long`);
    unfounded(world, { by, before, after, atMs, entries: 0 }, say);
  }
  return found;
}

/** It is written on what that very version of the item says. */
function unfounded(world: World, { before, after, atMs }: Written, say: (what: string) => void): void {
  const execution = world.executions.find((e) => e.name === after.forced!.execution);
  if (execution === undefined || before === undefined) return;
  const marked = { ...before, forced: after.forced! };
  // Clocks of sandboxes differ; what has just run out or just begun may be judged either way.
  const times = [-DOUBT_MS, DOUBT_MS].map((doubtMs) => epochMs(world.epochAt + atMs + doubtMs));
  const reasons = times.map((now) => against(marked, execution, now));
  const owner = execution.data.preflight?.before.owner;
  if (reasons.every((why) => why !== undefined)) say(`${execution.name} began, though ${reasons[0]}`);
  // Its release may change the owner.
  if (times.every((now) => isLive(before.lease, now)))
    say(`${execution.name} began while epoch ${before.epoch} was under way`);
  if (before.owner !== owner)
    say(`${execution.name} began, though ${before.owner} was the owner, not ${owner}`);
}
