// Departures (docs/decisions/0048): what AWS warns of leads to a drain of the node, once, and to a report with its reason; what is
// called off leaves no drain behind; and no operator is overruled. That nothing goes to the drained node is drained.ts's to check,
// where the VIPs go convergence.ts's, and that pins and freezes stay orders.ts's.

import type { Vip } from '../../../shared/vip/vip.ts';
import { maintenanceName } from '../../../shared/warning/departure.ts';
import { scheduledWarning } from '../../../shared/warning/scheduled.ts';
import type { DepartureRun } from '../functions/departure-run.ts';
import type { FaultName } from '../history/history.ts';
import type { Written } from '../truth/log.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

/** Clocks of sandboxes differ, and whole milliseconds are cut. */
const DOUBT_MS = 300;

export const departures = (world: World): readonly Violation[] => [
  ...world.departures.flatMap((run) => ended(world, run)),
  ...world.log.writes.flatMap((write) => overruled(world, write)),
  ...leftBehind(world),
  ...notDrained(world),
];

const violation = (vip: string, atMs: number, what: string): Violation => ({
  guarantee: 'departures',
  vip,
  atMs,
  what,
});

/** With its reason, or because there is nothing to do. */
function ended(world: World, { name, input, path, data, dueAtMs, endedAtMs }: DepartureRun) {
  const [vip] = world.story.vips;
  if (dueAtMs > world.endAtMs - 1_000) return [];
  if (endedAtMs === undefined) return [violation(vip!.name, dueAtMs, `${name} does not end`)];
  const end = path.at(-1)!;
  if (['over', 'noMember', 'unreported'].includes(end)) return [];
  const isTold = data.report?.text.includes(input.why) === true && path.includes('notify');
  return isTold ? [] : [violation(vip!.name, endedAtMs, `${name} ends as ${end} without its reason`)];
}

/** A departure drains its node, once; and takes away drains of departures only. */
function overruled(world: World, { by, before, after, atMs }: Written): readonly Violation[] {
  if (by === undefined || before === undefined || before.drains === after.drains) return [];
  const isBy = ({ name }: { readonly name: string }) => by.name.startsWith(`${name} `);
  const run = world.departures.find(isBy);
  if (run === undefined && !world.warnings.some(isBy)) return [];
  const now = world.epochAt + atMs;
  return Object.keys({ ...before.drains, ...after.drains }).flatMap((node) => {
    const [was, is] = [before.drains?.[node], after.drains?.[node]];
    if (was === is) return [];
    const say = (what: string) => [violation(after.name, atMs, `${by.name} ${what}`)];
    const isOver = was === undefined || was.untilMs <= now + DOUBT_MS;
    if (run === undefined) {
      // What is over may hand its drain over to other maintenance.
      const isHanded = was?.departure !== undefined && is?.startsAtMs !== was.startsAtMs;
      if (is !== undefined) return isHanded ? [] : say(`changes the drain of ${node}`);
      return was?.departure === undefined ? say(`ends the drain that ${was?.by} ordered of ${node}`) : [];
    }
    if (node !== run.input.node) return say(`touches the drain of ${node}`);
    if (!isOver && (is === undefined || is.untilMs < was.untilMs))
      return say(`shortens a drain of ${was.by}`);
    const declined = before.declined?.[node];
    const isWord =
      declined?.startsAtMs === run.input.startsAtMs &&
      declined !== undefined &&
      (declined.againMs === undefined || declined.againMs > now + DOUBT_MS);
    if (isWord && was === undefined) return say(`drains ${node}, which an operator has declined`);
    const known = run.rounds.findLast((one) => one.atMs < atMs)?.round.drained ?? [];
    return known.includes(after.name) ? say(`drains ${node} once more`) : [];
  });
}

/** What is over and listed so has been found by a sweep after the quiet. */
function leftBehind(world: World): readonly Violation[] {
  const { scheduled } = world.region.ec2;
  return scheduled.flatMap((event) => {
    const { node, notBeforeMs } = event;
    const same = scheduled.filter((one) => one.node === node && one.notBeforeMs === notBeforeMs);
    if (!same.every((one) => scheduledWarning(one)!.over)) return [];
    return [...world.net.vips.items.values()].flatMap((vip) => {
      const { departure, startsAtMs } = vip.drains?.[node] ?? {};
      if (vip.removedAtMs !== undefined || departure === undefined || startsAtMs !== notBeforeMs) return [];
      return violation(vip.name, world.endAtMs, `${node} is drained still for what was called off`);
    });
  });
}

/** With these a departure may fail, which it says. */
const breaks: readonly FaultName[] = [
  ...(['invocation killed', 'invocation paused', 'slow start', 'step repeated'] as const),
  ...([
    'store failed before effect',
    'store reply lost',
    'store write landed late',
    'record failed',
  ] as const),
  ...(['store write repeated', 'call breaks', 'read failed', 'write refused'] as const),
];
/** Two sweeps, and the workflows after them. */
const DRAINED_WITHIN_MS = 150_000;

/** A limit of the product: the node was not a member when the workflow drained it, or the VIP was registered again since. */
function isJoinedLater({ log }: World, vip: string, run: DepartureRun | undefined): boolean {
  if (run === undefined) return false;
  // From the first round's read on, which ends later.
  const drainedAtMs = run.dueAtMs;
  const of = log.writes.filter((w) => w.after.name === vip);
  const was = of.findLast((w) => w.atMs <= drainedAtMs)?.after;
  const isMember = (item: Vip | undefined) => item?.members[run.input.node] !== undefined;
  return !isMember(was) || of.some((w) => w.atMs > drainedAtMs && !isMember(w.after));
}

/** What is listed and due has led to a drain in each VIP that the node was a member of when it left, or people were told that it failed. */
function notDrained(world: World): readonly Violation[] {
  const { odds, acts } = world.story;
  return world.region.ec2.scheduled.flatMap((event) => {
    const warning = scheduledWarning(event)!;
    const { node, startsAtMs, degraded, over } = warning;
    const dueMs = degraded ? 0 : startsAtMs - 600_000 - world.epochAt;
    const wasTouched = acts.some(
      (act) =>
        ((act.does === 'drain' || act.does === 'undrain') && world.machines[act.node]!.id === node) ||
        act.does === 'is removed' ||
        (act.does === 'is untagged' && world.machines[act.node]!.id === node),
    );
    if (over || wasTouched || dueMs > world.endAtMs - DRAINED_WITHIN_MS) return [];
    const isMember = world.machines.some(({ id }) => id === node);
    const vips = [...world.net.vips.items.values()].filter(
      (vip) => isMember && vip.removedAtMs === undefined && vip.members[node] !== undefined,
    );
    const name = maintenanceName(node, startsAtMs);
    const run = world.departures.find((one) => one.name === name);
    const open = vips.find((vip) => vip.drains?.[node] === undefined && !isJoinedLater(world, vip.name, run));
    if (open === undefined) return [];
    const hasFailed = run?.path.includes('failed') === true;
    if (hasFailed && breaks.some((fault) => odds[fault] !== undefined)) return [];
    return [violation(open.name, world.endAtMs, `${node} was never drained for ${event.code}`)];
  });
}
