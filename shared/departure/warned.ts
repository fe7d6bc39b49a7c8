// What a warning of AWS leads to: the departure of a node that is a member somewhere, a line in the record where it is advice, the
// end of a drain where what it was for is over. The workflow `warning` asks this of each event, and starts what is named here.
//
// Invariant: doing it twice does it once: records are put if absent, and a workflow's name is the warning's.
import { isAtRisk, isDrainedFor, withRisk } from '../controller/warned.ts';
import { isRegistered, update } from '../registry/registry.ts';
import type { Ports } from '../switch/switch-vip.ts';
import { iso } from '../time.ts';
import { type OperatorActionStore, operatorAction } from '../timeline/operator-action.ts';
import type { Vip } from '../vip/vip.ts';
import { withoutDrain } from '../vip/vip.ts';
import { type Departure, departureFrom, maintenanceName } from '../warning/departure.ts';
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
    const concerned = vips.filter(({ members }) => members[node] !== undefined);
    if (concerned.length === 0) said.push(ignoredText({ key: 'unknown-instance', node }));
    else if (warning.kind === 'rebalance') said.push(await noteRisk(ports, concerned, warning));
    else if (warning.kind === 'maintenance' && warning.over)
      said.push(await endDrains(ports, concerned, warning, by));
    else {
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

/** A drain that an operator has ordered, or that another warning needs, stays. */
async function endDrains(
  ports: DeparturePorts,
  vips: readonly Vip[],
  { node, startsAtMs, code }: Maintenance,
  by: Departure['by'],
): Promise<string> {
  const departure = maintenanceName(node, startsAtMs);
  const isIts = (vip: Vip) => isDrainedFor(vip, node, startsAtMs, ports.clock.now());
  const reason = `${code} of ${iso(startsAtMs)} is over`;
  for (const { name: vip } of vips.filter(isIts)) {
    const atMs = ports.clock.now();
    await ports.orders.put(operatorAction({ vip, order: 'undrain', node, by, reason, atMs }, departure));
    await update(ports.vips, vip, (was) => (was !== undefined && isIts(was) ? withoutDrain(was, node) : was));
  }
  return `${node}: ${reason}; a drain for it is ended`;
}
