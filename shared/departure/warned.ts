// What a warning of AWS leads to: the departure of a node that is a member somewhere, a line in the record where it is advice, the
// end of a drain where what it was for is over. The workflow `warning` asks this of each event, and starts what is named here.
//
// Invariant: doing it twice does it once: records are put if absent, and a workflow's name is the warning's.
import { isAtRisk, isDeclined, isDrainedFor, withRisk } from '../controller/warned.ts';
import { defined } from '../optional.ts';
import { isRegistered, update } from '../registry/registry.ts';
import type { Ports } from '../switch/switch-vip.ts';
import { type EpochMs, iso } from '../time.ts';
import { type OperatorActionStore, operatorAction } from '../timeline/operator-action.ts';
import type { Vip } from '../vip/vip.ts';
import { drainOf, withDrain, withoutDrain } from '../vip/vip.ts';
import { type Departure, departureFrom, maintenanceName } from '../warning/departure.ts';
import { scheduledWarning } from '../warning/scheduled.ts';
import {
  ignoredText,
  type Maintenance,
  type RebalanceAdvice,
  type Warning,
  warningText,
} from '../warning/warning.ts';

export interface DeparturePorts extends Ports {
  readonly orders: OperatorActionStore;
  /** Named in the commands of its messages. */
  readonly region?: string;
}

/** What an execution of the workflow `departure` is started with. */
export interface DepartureInput {
  readonly node: string;
  readonly by: Departure['by'];
  readonly why: string;
  /** Until then the workflow waits. */
  readonly dueAt: string;
  readonly untilMs: number;
  /** Of maintenance: its date. */
  readonly startsAtMs?: number;
}

export interface Warned {
  /** To be started, each under its name. */
  readonly departures: readonly { readonly name: string; readonly input: DepartureInput }[];
  /** What was done about each warning, or why nothing was. */
  readonly said: readonly string[];
}

export async function onWarnings(
  ports: DeparturePorts,
  by: Departure['by'],
  warnings: readonly Warning[],
): Promise<Warned> {
  const vips = (await ports.vips.list()).filter(isRegistered);
  const departures: Warned['departures'][number][] = [];
  const said: string[] = [];
  for (const warning of warnings) {
    const { node } = warning;
    const isOver = warning.kind === 'maintenance' && warning.over;
    // What is over ends also where the node is a member no more: it may be one again before the drain ends.
    const concerned = vips.filter(
      ({ members, drains }) => members[node] !== undefined || (isOver && drains?.[node] !== undefined),
    );
    if (concerned.length === 0) said.push(ignoredText({ key: 'unknown-instance', node }));
    else if (warning.kind === 'rebalance') said.push(await noteRisk(ports, concerned, warning));
    else if (warning.kind === 'maintenance' && warning.over) {
      const ended = await endDrains(ports, concerned, warning, by);
      said.push(ended.said);
      if (ended.next !== undefined) departures.push(startOf(ended.next));
    } else {
      const found = departureFrom(warning, by, ports.clock.now());
      if (found.is === 'ignored') said.push(ignoredText(found.reason));
      else {
        departures.push(startOf(found.departure));
        said.push(`${node} leaves: ${warningText(warning)}`);
      }
    }
  }
  return { departures, said };
}

function startOf({ name, dueMs, ...input }: Departure): Warned['departures'][number] {
  return { name, input: { ...input, dueAt: iso(dueMs) } };
}

/** In the record, and in the item until it ends: the node's own word may be all that shows it, or may be missing. */
async function noteRisk(
  { orders, vips: items }: DeparturePorts,
  vips: readonly Vip[],
  warning: RebalanceAdvice,
): Promise<string> {
  const { node, id, atMs } = warning;
  const reason = warningText(warning);
  for (const { name: vip } of vips) {
    await orders.put(operatorAction({ vip, order: 'at-risk', node, by: 'aws.ec2', reason, atMs }, id));
    await update(items, vip, (was) =>
      isRegistered(was) && !isAtRisk(was, node) ? withRisk(was, node, atMs) : was,
    );
  }
  return `${node} is at risk, which is recorded; nothing moves`;
}

interface Ended {
  readonly said: string;
  /** What the drains were handed over to. Its own warning may be lost, and a sweep takes a node that is drained for it as known. */
  readonly next?: Departure;
}

/** A drain that an operator has ordered stays; one that other maintenance needs by now is handed over to it. */
async function endDrains(
  ports: DeparturePorts,
  concerned: readonly Vip[],
  { node, startsAtMs, code }: Maintenance,
  by: Departure['by'],
): Promise<Ended> {
  const departure = maintenanceName(node, startsAtMs);
  const isIts = (vip: Vip) => isDrainedFor(vip, node, startsAtMs, ports.clock.now());
  const reason = `${code} of ${iso(startsAtMs)} is over`;
  // An earlier try of the same step may have handed all of them over.
  const isAsked = concerned.some((vip) => drainOf(vip, node, ports.clock.now())?.departure !== undefined);
  const next = isAsked ? await stillDue(ports, node, startsAtMs) : undefined;
  if (next?.startsAtMs === startsAtMs)
    return { said: `${node}: ${reason}; EC2 has other maintenance at that date, and the drain stays` };
  for (const before of concerned.filter(isIts)) {
    const { name: vip } = before;
    const atMs = ports.clock.now();
    if (next !== undefined && !isDeclined(before, node, next.startsAtMs, atMs)) {
      const ours = { by, reason: next.why, untilMs: next.untilMs };
      await ports.orders.put(operatorAction({ vip, order: 'drain', node, ...ours, atMs }, next.name));
      const drain = { ...ours, departure: next.name, ...defined({ startsAtMs: next.startsAtMs }) };
      await update(ports.vips, vip, (was) =>
        was !== undefined && isIts(was) ? withDrain(was, node, drain) : was,
      );
      continue;
    }
    await ports.orders.put(operatorAction({ vip, order: 'undrain', node, by, reason, atMs }, departure));
    await update(ports.vips, vip, (was) => (was !== undefined && isIts(was) ? withoutDrain(was, node) : was));
  }
  return next === undefined
    ? { said: `${node}: ${reason}; a drain for it is ended` }
    : { said: `${node}: ${reason}; a drain for it stays: ${next.why}`, next };
}

/**
 * Other maintenance of the node that is due, or has the same date: its own workflow has run by now, and found the node drained. Throws
 * a Fault where EC2 cannot say: then the drain stays, and the next sweep announces its end again.
 */
async function stillDue(
  { ec2, clock }: DeparturePorts,
  node: string,
  startsAtMs: EpochMs,
): Promise<Departure | undefined> {
  const now = clock.now();
  const listed = (await ec2.scheduledEvents()).filter((event) => event.node === node);
  const others = listed.flatMap((event) => scheduledWarning(event) ?? []).filter(({ over }) => !over);
  const due = others.flatMap((warning) => {
    const found = departureFrom(warning, 'aws.ec2', now);
    if (found.is === 'ignored') return [];
    const isSame = warning.startsAtMs === startsAtMs;
    return isSame || found.departure.dueMs <= now ? [{ isSame, ...found.departure }] : [];
  });
  return due.find(({ isSame }) => isSame) ?? due.sort((a, b) => b.untilMs - a.untilMs)[0];
}
