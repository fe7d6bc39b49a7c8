// Operators' orders are obeyed: frozen means that nothing moves; no one but an operator or a workflow touches pin and freeze;
// a forced failover stands in the record before it takes effect, ends where it says that it ended, pins for as long as was
// asked, and leaves no pin behind when it failed.
import { answerFrom } from '../../../shared/forced-failover/approval.ts';
import type { Execution } from '../functions/execution.ts';
import type { Odds } from '../history/history.ts';
import type { Written } from '../truth/log.ts';
import { cellsOf, eipEni, isForeign, serviceEni } from '../truth/truth.ts';
import type { Violation } from '../violation.ts';
import { STALE_MAX_MS } from '../world/region.ts';
import type { World } from '../world/world.ts';

/** Clocks of sandboxes differ, and whole milliseconds are cut. */
const DOUBT_MS = 300;

export const orders = (world: World): readonly Violation[] => [
  ...frozen(world),
  ...gone(world),
  ...touched(world),
  ...world.executions.flatMap((execution) => carriedOut(world, execution)),
];

/** A step sent under a lease that was taken when the freeze stood already. */
function frozen(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const { vip, atMs, item, by, step } of world.log.sends) {
    const freeze = item?.freeze;
    if (freeze === undefined || freeze.untilMs - DOUBT_MS <= world.epochAt + atMs) continue;
    const taken = world.log.writes.find((w) => w.after.name === vip && w.after.epoch === item!.epoch);
    if (taken?.before?.freeze !== freeze) continue;
    const what = `${by.name} sends ${step.cell} to ${step.eni}, though the VIP was frozen before the lease was taken`;
    found.push({ guarantee: 'orders', vip, atMs, what });
  }
  return found;
}

/** A step sent for a VIP that had left the registry before the lease was taken. */
function gone(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const { vip, atMs, item, by, step } of world.log.sends) {
    if (item?.removedAtMs === undefined) continue;
    const taken = world.log.writes.find((w) => w.after.name === vip && w.after.epoch === item.epoch);
    if (taken?.before?.removedAtMs !== item.removedAtMs) continue;
    const what = `${by.name} sends ${step.cell} to ${step.eni}, though the VIP was removed before the lease was taken`;
    found.push({ guarantee: 'orders', vip, atMs, what });
  }
  return found;
}

function touched(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const { by, before, after, atMs } of world.log.writes) {
    if (by === undefined || before === undefined) continue;
    const say = (what: string) => found.push({ guarantee: 'orders', vip: after.name, atMs, what });
    if (before.freeze !== after.freeze) say(`${by.name} touched the freeze`);
    if (before.pin === after.pin) continue;
    const execution = world.executions.find((e) => by.name.startsWith(`${e.name} `));
    if (execution === undefined) say(`${by.name} touched the pin`);
    else if (after.pin !== undefined) pinned(world, execution, { by, before, after, atMs, entries: 0 }, say);
    else if (before.pin?.reason !== execution.order.reason)
      say(`${by.name} took away the pin of ${before.pin?.by}`);
  }
  return found;
}

function pinned(
  world: World,
  { order }: Execution,
  { before, after, atMs }: Written,
  say: (what: string) => void,
): void {
  const pin = after.pin!;
  const other = before?.pin;
  const stands = other !== undefined && other.untilMs - DOUBT_MS > world.epochAt + atMs;
  if (stands && other.reason !== order.reason && other.node !== order.to)
    say(`${order.reason}: overrode the pin to ${other.node}`);
  if (pin.node !== order.to) say(`${order.reason}: pinned to ${pin.node}, expected ${order.to}`);
  const most = world.epochAt + atMs + order.pinMinutes * 60_000 + DOUBT_MS;
  if (pin.untilMs > most) say(`${order.reason}: pinned for ${pin.untilMs - most} ms longer than was asked`);
}

const effects = new Set(['demote', 'switchVip']);

function carriedOut(world: World, execution: Execution): readonly Violation[] {
  const { order, data, path, endedAtMs } = execution;
  const found: Violation[] = [];
  const say = (what: string) =>
    found.push({
      guarantee: 'orders',
      vip: order.vip,
      atMs: endedAtMs ?? world.endAtMs,
      what: `${execution.name}: ${what}`,
    });
  if (endedAtMs === undefined) {
    say('has not ended');
    return found;
  }
  const told = world.net.orders.some((o) => o.order === 'failover' && o.id.includes(`/${execution.name}/`));
  if (path.some((state) => effects.has(state)) && !told) say('took effect and stands nowhere in the record');
  const decided = data.decision === undefined || answerFrom(data.decision).outcome === 'approved';
  if (!decided && path.some((state) => effects.has(state))) say('was denied, and took effect');
  const outcome = data.end?.outcome;
  if (outcome === 'done') right(world, execution, say);
  else if (data.switchedBack?.outcome === 'switched') leftBehind(world, execution, say);
  return found;
}

/** How old a look may be when its answer is there: EC2's own delay, and a pause before the answer. */
const lookMaxMs = (odds: Odds): number =>
  600 +
  (odds['read stale'] === undefined ? 0 : STALE_MAX_MS) +
  (odds['invocation paused'] === undefined ? 0 : 40_000);

/** Whether EC2 showed every cell at the target at some time that the last look may have seen. */
function right(world: World, { order, vip, answeredAtMs }: Execution, say: (what: string) => void): void {
  const spec = world.story.vips[vip]!;
  const lookedAtMs = answeredAtMs.get('verify')!;
  const from = lookedAtMs - lookMaxMs(world.story.odds);
  for (const { cell, kind } of cellsOf(world.region, spec)) {
    const changes = world.region.changesOf(cell).filter((c) => c.atMs <= lookedAtMs);
    const before = changes.findLast((c) => c.atMs <= from)?.is;
    const values = [before, ...changes.filter((c) => c.atMs > from).map((c) => c.is)];
    const wanted = kind === 'route' ? [serviceEni(order.to)] : [eipEni(order.to), serviceEni(order.to)];
    if (changes.length === 0 || values.some((v) => wanted.includes(v ?? ''))) continue;
    const foreign = (v: string | undefined) =>
      [from, lookedAtMs].some((at) => isForeign(world.region, cell, v, at)) ||
      v?.includes('foreign') === true;
    if (values.some(foreign)) continue;
    say(`is told as done, but ${cell} leads to ${values.at(-1) ?? 'nothing'}`);
  }
}

function leftBehind(
  world: World,
  { order, answeredAtMs, name }: Execution,
  say: (what: string) => void,
): void {
  const backAtMs = answeredAtMs.get('switchBack')!;
  const since = world.log.writes.filter((w) => w.after.name === order.vip);
  const then = since.findLast((w) => w.atMs <= backAtMs)?.after;
  const later = since.find(
    (w) => w.atMs > backAtMs && w.by?.name.startsWith(`${name} `) === true && w.after.pin !== undefined,
  );
  for (const item of [then, later?.after]) {
    if (item?.pin?.reason === order.reason) say(`was switched back, and its pin of ${item.pin.node} stands`);
  }
}
