/**
 * `npm run lab -- reboots`: planned stops of the master on machines that really boot, with the order of the units that `install` sets and
 * without it, and what a client saw of them.
 *
 * Exit status: as the lab's; 1 when with the order a STOP is missing on the bus or a connection was refused or lost.
 */
import { parseArgs } from 'node:util';
import type { LabCommand, Say } from '../command.ts';
import { DELAYS_TEXT, slowDown } from '../netns/cloud/delays.ts';
import { oneOf, wholeNumber } from '../options.ts';
import { type Series, seriesFrom, seriesOptions } from '../series.ts';
import { type BootedNode, LINGER_S } from './booted-node.ts';
import { openBootedLab } from './lab.ts';
import { type PlannedStop, runPlannedStop, type StopKind, stopKinds } from './planned-stops.ts';

const usage = `usage: npm run lab -- reboots [--runs N] [--kind reboot|poweroff|stop]... [--order with|without]... [--json] [--logs FOLDER]

  --runs N         each kind N times (default 20), by turns of either node
  --kind KIND      reboot, poweroff, or stop (of keepalived alone); by default all three
  --order ORDER    with or without the order of the units that install sets; by default both
  --linger SECONDS how long the service outlasts keepalived (default 3); longer on a busy machine, whose failovers take longer
  --json           an array of objects, one for each planned stop, on stdout
  --logs FOLDER    where the emulators' logs go (default: .lab/netns)
`;
const LINGER_MAX_S = 60;
const orders = ['without', 'with'] as const;
type Order = (typeof orders)[number];

interface Options extends Series<StopKind> {
  readonly orders: readonly Order[];
  readonly lingerS: number;
}

export const rebootsCommand: LabCommand = {
  usage,
  prepare(argv, logFolder) {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...seriesOptions({ runs: 20, kinds: stopKinds, logFolder }),
        order: { type: 'string', multiple: true, default: [...orders] },
        linger: { type: 'string', default: String(LINGER_S) },
      },
    });
    const options = {
      ...seriesFrom(values, stopKinds),
      lingerS: wholeNumber('--linger', values.linger, { from: 0, to: LINGER_MAX_S }),
      orders: values.order.map((order) => oneOf('--order', order, orders)),
    };
    return { help: values.help, logFolder: values.logs, run: (say) => runReboots(options, say) };
  },
};

export interface OrderedStop extends PlannedStop {
  readonly order: Order;
}

const HEAD =
  'ORDER    KIND      STOP ON THE BUS  REFUSED  LOST  CUT  LONGEST OUTAGE  MOVED AFTER  SERVED FIRST';

async function runReboots(options: Options, say: Say): Promise<number> {
  const lab = await openBootedLab(options.logFolder, say);
  const all: OrderedStop[] = [];
  if (!options.json) {
    process.stdout.write(`${DELAYS_TEXT}; another resolver each time\n${HEAD}\n`);
  }
  for (const order of options.orders) {
    const nodes = await lab.bootNodes();
    const furnish = async (node: BootedNode) => {
      await node.configure(lab.cloud.notifyConf);
      await node.install({ isUnordered: order === 'without', lingerS: options.lingerS });
      await node.enable();
    };
    await Promise.all([furnish(nodes.a), furnish(nodes.b)]);
    say('both nodes are up');
    slowDown(lab.cloud);
    for (const kind of options.kinds) {
      const stops: OrderedStop[] = [];
      for (let run = 0; run < options.runs; run += 1) {
        const stop = { order, ...(await runPlannedStop({ nodes, cloud: lab.cloud }, kind, run)) };
        say(JSON.stringify(stop));
        stops.push(stop);
      }
      all.push(...stops);
      if (!options.json) process.stdout.write(`${row(stops)}\n`);
    }
  }
  await lab.close();
  if (options.json) process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
  return all.every((stop) => stop.order === 'without' || isClean(stop)) ? 0 : 1;
}

export const isClean = ({ stops, refused, lost, isServingFirst }: PlannedStop): boolean =>
  stops === 1 && refused === 0 && lost === 0 && isServingFirst !== false;

function row(stops: readonly OrderedStop[]): string {
  const [first] = stops;
  const sum = (of: (stop: OrderedStop) => number) =>
    String(stops.reduce((total, stop) => total + of(stop), 0));
  const moved = stops.flatMap(({ movedMs }) => movedMs ?? []).toSorted((a, b) => a - b);
  const booted = stops.filter(({ isServingFirst }) => isServingFirst !== undefined);
  return [
    first!.order.padEnd(9),
    first!.kind.padEnd(10),
    `${stops.filter((stop) => stop.stops > 0).length} of ${stops.length}`.padEnd(17),
    sum(({ refused }) => refused).padEnd(9),
    sum(({ lost }) => lost).padEnd(6),
    sum(({ cut }) => cut).padEnd(5),
    `${Math.round(Math.max(...stops.map(({ outageMs }) => outageMs)))} ms`.padEnd(16),
    `${Math.round(moved[Math.floor(moved.length / 2)] ?? Number.NaN)} ms`.padEnd(13),
    booted.length === 0 ? '-' : `${booted.filter((stop) => stop.isServingFirst).length} of ${booted.length}`,
  ].join('');
}
