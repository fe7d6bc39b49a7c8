// What a call costs this process, however long it takes: CPU of the measured thread for each ReplaceRoute of a burst, by bare
// node:http, through the SDK’s middleware (`send` of the same client), and as a failover sends it. The three take turns.
//
// Limit: the kernel counts in ticks, so only the mean of many bursts says something; helper threads of the garbage collector
// are not counted.
import { ReplaceRouteCommand } from '@aws-sdk/client-ec2';
import { awsEc2 } from '../../shared/aws/ec2/ec2.ts';
import { clients, systemClock, systemNow } from '../../shared/aws/wire.ts';
import { minutes, plus } from '../../shared/time.ts';
import { DESTINATION, type FakeRegion, isMutation, vipWith } from '../fake/region.ts';
import { type Row, valueRow } from '../figures.ts';
import { bareCalls } from './floor.ts';

const VIP = 'web';
const WARM_UP = 3;

export const ways = ['bare node:http', 'the SDK’s send', 'vipshift'] as const;
type Way = (typeof ways)[number];

export const cpuName = (way: Way): string => `CPU a mutation, µs: ${way}`;

export async function cpuRows(region: FakeRegion, tables: number, runs: number): Promise<readonly Row[]> {
  await using sending = senders(region.endpoint);
  const spentMs: Record<Way, number> = { 'bare node:http': 0, 'the SDK’s send': 0, vipshift: 0 };
  for (let run = -WARM_UP; run < runs; run++)
    for (const way of ways) {
      const ms = await burst(region, tables, sending[way]);
      if (run >= 0) spentMs[way] += ms;
    }
  const each = (way: Way) => (spentMs[way] * 1000) / (runs * tables);
  return ways.map((way) => ({
    ...valueRow(cpuName(way), tables, each(way)),
    ratioToFloor: Number((each(way) / each('bare node:http')).toFixed(2)),
    runs,
  }));
}

type Send = (table: string) => Promise<unknown>;

/** ms of CPU of this thread. */
async function burst(region: FakeRegion, tables: number, send: Send): Promise<number> {
  const { vip, item } = vipWith(VIP, tables);
  await region.build({ latency: { ec2Ms: 10, dynamoMs: 5 }, buckets: false, vips: [vip], items: [item] });
  const before = process.threadCpuUsage();
  await Promise.all(vip.tables.map(send));
  const { user, system } = process.threadCpuUsage(before);
  const accepted = (await region.take()).filter((call) => isMutation(call) && call.status === 200).length;
  if (accepted !== tables) throw new Error(`${accepted} mutations were accepted, expected ${tables}`);
  return (user + system) / 1000;
}

function senders(endpoint: string): Readonly<Record<Way, Send>> & AsyncDisposable {
  const credentials = { accessKeyId: 'AKIABENCH', secretAccessKey: 'bench', sessionToken: 'bench' };
  const config = { endpoint, region: 'eu-central-1', credentials };
  const [before, made] = [clients(config), clients(config)];
  const { signal } = new AbortController();
  const clock = systemClock(plus(systemNow(), minutes(60)), signal);
  const ec2 = awsEc2({ reader: made.reader, writer: made.writer, tag: 'vipshift:bench', clock, signal });
  const bare = bareCalls(endpoint);
  const [eni, destination] = [`eni-${VIP}-1`, DESTINATION];
  return {
    'bare node:http': (table) => bare.replaceRoute(table, eni, destination),
    'the SDK’s send': (table) =>
      before.writer.send(
        new ReplaceRouteCommand({
          RouteTableId: table,
          DestinationCidrBlock: destination,
          NetworkInterfaceId: eni,
        }),
      ),
    vipshift: (table) =>
      ec2.apply(
        { call: 'ReplaceRoute', cell: `${table} ${destination}`, from: 'bench', table, destination, eni },
        () => true,
      ),
    async [Symbol.asyncDispose]() {
      bare.stop();
      for (const client of [before, made].flatMap((each) => Object.values(each))) client.destroy();
    },
  };
}
