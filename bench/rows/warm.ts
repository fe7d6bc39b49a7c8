// One VIP with N tables, warm: handler entry to the last mutation accepted. Ours, the bare calls and the SDK one call after the
// other take turns, so that whatever else the machine does hits them alike. So do the SDK's clients, as deployed, with every call
// through their `send` and all at once: what a failover cost before it did without their middleware.
import {
  DescribeAddressesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  EC2Client,
  paginateDescribeRouteTables,
  ReplaceRouteCommand,
} from '@aws-sdk/client-ec2';
import { collect } from '../../shared/aws/pages.ts';
import { type Clients, clients } from '../../shared/aws/wire.ts';
import { claimEvent } from '../claim.ts';
import {
  DESTINATION,
  type FakeRegion,
  type Latency,
  nodesOf,
  nowMs,
  toLastAccepted,
  vipWith,
} from '../fake/region.ts';
import { median, type Row, rowOf } from '../figures.ts';
import { type Bare, bareCalls } from './floor.ts';
import { context, type Handler } from './handler.ts';

export interface WarmOptions {
  readonly latency: Latency;
  readonly sizes: readonly number[];
  runsFor(tables: number): number;
}

const VIP = 'web';

export async function warmRows(
  region: FakeRegion,
  handler: Handler,
  options: WarmOptions,
): Promise<readonly Row[]> {
  const bare = bareCalls(region.endpoint);
  const config = {
    endpoint: region.endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  };
  const sdk = new EC2Client({ ...config, maxAttempts: 1 });
  const deployed = clients(config);
  const rows: Row[] = [];
  try {
    for (const tables of options.sizes)
      rows.push(...(await oneSize({ region, handler, bare, sdk, deployed, options }, tables)));
    return rows;
  } finally {
    bare.stop();
    for (const client of [sdk, ...Object.values(deployed)]) client.destroy();
  }
}

interface Setting {
  readonly region: FakeRegion;
  readonly handler: Handler;
  readonly bare: Bare;
  readonly sdk: EC2Client;
  readonly deployed: Clients;
  readonly options: WarmOptions;
}

const WARM_UP = 3;
/** One call after the other takes N round trips: a few runs are enough. */
const SEQUENTIAL_RUNS = 3;

async function oneSize(setting: Setting, tables: number): Promise<readonly Row[]> {
  const { options } = setting;
  const ours: number[] = [];
  const floor: number[] = [];
  const sent: number[] = [];
  for (let run = -WARM_UP; run < options.runsFor(tables); run++) {
    const bareMs = await measured(setting, tables, () => bareFailover(setting, tables));
    const sentMs = await measured(setting, tables, () => allAtOnce(setting, tables));
    const ourMs = await measured(setting, tables, () => ourFailover(setting));
    if (run < 0) continue;
    floor.push(bareMs);
    sent.push(sentMs);
    ours.push(ourMs);
  }
  const sequential: number[] = [];
  for (let run = 0; run < Math.min(SEQUENTIAL_RUNS, options.runsFor(tables)); run++) {
    sequential.push(await measured(setting, tables, () => oneByOne(setting, tables)));
  }
  const of = `, EC2 ${options.latency.ec2Ms} ms, DynamoDB ${options.latency.dynamoMs} ms`;
  const floorMs = median(floor);
  return [
    rowOf(`floor: bare node:http${of}`, tables, floor, { floorMs }),
    rowOf(`vipshift warm${of}`, tables, ours, { floorMs }),
    rowOf(`SDK’s send, all calls at once${of}`, tables, sent, { floorMs }),
    rowOf(`SDK, one call after the other${of}`, tables, sequential, { floorMs }),
  ];
}

async function measured(
  { region, options }: Setting,
  tables: number,
  work: () => Promise<unknown>,
): Promise<number> {
  const { vip, item } = vipWith(VIP, tables);
  await region.build({ latency: options.latency, buckets: false, vips: [vip], items: [item] });
  const startMs = nowMs();
  await work();
  return toLastAccepted(await region.take(), startMs, tables);
}

async function ourFailover({ handler }: Setting): Promise<void> {
  const { answer } = await handler(claimEvent(VIP, nodesOf(VIP)[1]!), context());
  if (answer !== 'switched') throw new Error(`the handler answered ${answer}, expected switched`);
}

const bareFailover = ({ bare }: Setting, tables: number): Promise<void> =>
  bare.failover(vipWith(VIP, tables).vip.tables, VIP, `eni-${VIP}-1`, DESTINATION);

/** The calls of a failover up to its last mutation, less the claim's write: nothing is parsed for it. */
async function allAtOnce({ deployed: { reader, writer } }: Setting, tables: number): Promise<void> {
  const byLabel = { Filters: [{ Name: 'tag:vipshift:bench', Values: [VIP] }] };
  await Promise.all([
    collect(
      paginateDescribeRouteTables({ client: reader, pageSize: 100 }, byLabel),
      (page) => page.RouteTables,
    ),
    reader.send(new DescribeNetworkInterfacesCommand({ ...byLabel, MaxResults: 1000 })),
    reader.send(new DescribeAddressesCommand(byLabel)),
  ]);
  const { vip } = vipWith(VIP, tables);
  await Promise.all(vip.tables.map((table) => writer.send(routeTo(table))));
}

const routeTo = (table: string) =>
  new ReplaceRouteCommand({
    RouteTableId: table,
    NetworkInterfaceId: `eni-${VIP}-1`,
    DestinationCidrBlock: DESTINATION,
  });

/** As a careful script would: describe, then one table after the other. */
async function oneByOne({ sdk }: Setting, tables: number): Promise<void> {
  const byLabel = { Filters: [{ Name: 'tag:vipshift:bench', Values: [VIP] }] };
  await sdk.send(new DescribeRouteTablesCommand(byLabel));
  for (const table of vipWith(VIP, tables).vip.tables) await sdk.send(routeTo(table));
}
