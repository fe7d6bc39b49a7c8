// A new sandbox: a fresh process that imports the built function, as Lambda does, and takes its first claim. And the import beside
// that of the two SDK clients alone, built the same way.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleFunctions, type FunctionBundle } from '../../build/functions.ts';
import { claimEvent } from '../claim.ts';
import { type FakeRegion, type Latency, nodesOf, nowMs, toLastAccepted, vipWith } from '../fake/region.ts';
import { median, type Row, rowOf, valueRow } from '../figures.ts';
import { environmentVariables } from './handler.ts';

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);
const CHILD_MAX_MS = 30_000;

/** Two clients, made at import as every function makes them, with the calls that failover makes of them, and nothing else. */
const clientsAlone = `
import { DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { AssociateAddressCommand, CreateRouteCommand, DescribeAddressesCommand, EC2Client, ModifyNetworkInterfaceAttributeCommand,
  paginateDescribeNetworkInterfaces, paginateDescribeRouteTables, ReplaceRouteCommand } from '@aws-sdk/client-ec2';
const clients = [new DynamoDBClient({}), new EC2Client({})];
export const handler = async () => [clients, GetItemCommand, PutItemCommand, QueryCommand,
  UpdateItemCommand, AssociateAddressCommand, CreateRouteCommand, DescribeAddressesCommand, ModifyNetworkInterfaceAttributeCommand,
  paginateDescribeNetworkInterfaces, paginateDescribeRouteTables, ReplaceRouteCommand];
`;

/** Prints the import's time and CPU; with an event also handles it and prints when that began. Loads the file as Lambda does. */
const child = `
const hr = () => Number(process.hrtime.bigint()) / 1e6;
const [begunMs, begunAt] = [hr(), process.threadCpuUsage()];
const { handler } = require(process.argv[1]);
const importedMs = hr();
const { user, system } = process.threadCpuUsage(begunAt);
(async () => {
  if (process.argv[2] !== undefined) {
    const ends = Date.now() + 60000;
    await handler(JSON.parse(process.argv[2]), { functionName: 'bench', awsRequestId: 'bench', getRemainingTimeInMillis: () => ends - Date.now() });
  }
  const cpuMs = (user + system) / 1000;
  process.stderr.write('\\nBENCH ' + JSON.stringify({ begunMs, importedMs, cpuMs, rssMb: process.memoryUsage().rss / 2 ** 20 }));
  process.exit(0);
})();
`;

interface ColdStart {
  readonly begunMs: number;
  readonly importedMs: number;
  /** Of the thread that imports. */
  readonly cpuMs: number;
  readonly rssMb: number;
}

export async function coldRows(
  region: FakeRegion,
  latency: Latency,
  tables: number,
  runs: number,
): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'vipshift-bench-'));
  // Inside the project, so that the packages are found.
  const sources = await mkdtemp(join(root, '.lab', 'bench-'));
  try {
    await writeFile(join(sources, 'clients.ts'), clientsAlone);
    const bundles = await bundleFunctions(join(root, 'functions'), join(folder, 'functions'));
    await bundleFunctions(sources, join(folder, 'alone'));
    const ours = join(folder, 'functions', 'failover', 'index.cjs');
    const alone = join(folder, 'alone', 'clients', 'index.cjs');
    const [imports, base, first, memory]: number[][] = [[], [], [], []];
    const [importsCpu, baseCpu]: number[][] = [[], []];
    for (let n = 0; n < runs; n++) {
      const [clients, failover] = [await start(region, alone), await start(region, ours)];
      base!.push(importTime(clients));
      imports!.push(importTime(failover));
      baseCpu!.push(clients.cpuMs);
      importsCpu!.push(failover.cpuMs);
      const { ms, rssMb } = await firstClaim(region, latency, ours, tables);
      first!.push(ms);
      memory!.push(rssMb);
    }
    const baseMs = median(base!);
    const of = `, EC2 ${latency.ec2Ms} ms, DynamoDB ${latency.dynamoMs} ms`;
    return [
      rowOf('import: the two SDK clients alone, trimmed', 1, base!, { floorMs: baseMs }),
      rowOf('import: function failover', 1, imports!, {
        floorMs: baseMs,
        note: 'ratio: to the clients alone',
      }),
      valueRow('import: the two SDK clients alone, CPU, ms', 1, median(baseCpu!)),
      valueRow('import: function failover, CPU, ms', 1, median(importsCpu!)),
      rowOf(`vipshift cold${of}: import begun → last mutation accepted`, tables, first!),
      valueRow('memory of a sandbox after its first failover, MB', tables, median(memory!)),
      ...sizeRows(bundles),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(sources, { recursive: true, force: true });
  }
}

const sizeRows = (bundles: readonly FunctionBundle[]): readonly Row[] =>
  bundles.map(({ name, bytes }) => valueRow(`bundle of function ${name}, KB`, 1, bytes / 1024));

const importTime = ({ begunMs, importedMs }: ColdStart): number => importedMs - begunMs;

async function start(region: FakeRegion, file: string, event?: object): Promise<ColdStart> {
  const args = ['-e', child, '--', file];
  if (event !== undefined) args.push(JSON.stringify(event));
  const env = { ...process.env, ...environmentVariables(region.endpoint) };
  const { stderr } = await run(process.execPath, args, { env, timeout: CHILD_MAX_MS });
  return JSON.parse(stderr.slice(stderr.lastIndexOf('BENCH ') + 6)) as ColdStart;
}

async function firstClaim(region: FakeRegion, latency: Latency, file: string, tables: number) {
  const { vip, item } = vipWith('web', tables);
  await region.build({ latency, buckets: false, vips: [vip], items: [item] });
  const startedMs = nowMs();
  const { begunMs, rssMb } = await start(region, file, claimEvent('web', nodesOf('web')[1]!));
  const ms = toLastAccepted(await region.take(), Math.max(begunMs, startedMs), tables);
  return { ms, rssMb };
}
