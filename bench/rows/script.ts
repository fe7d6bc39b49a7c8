// A keepalived notify script as such scripts are usually written: the AWS CLI, one table after the other.
//
// Limit: the CLI's version and Python decide half of its time.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type AwsCli, awsCli } from '../aws-cli.ts';
import {
  DESTINATION,
  type FakeRegion,
  type Latency,
  nowMs,
  toLastAccepted,
  vipWith,
} from '../fake/region.ts';
import { type Row, rowOf } from '../figures.ts';
import { environmentVariables } from './handler.ts';

const run = promisify(execFile);
const CLI_MAX_MS = 60_000;

export async function scriptRows(
  region: FakeRegion,
  latency: Latency,
  sizes: readonly number[],
  runs: number,
): Promise<readonly Row[]> {
  const cli = await awsCli();
  const name = `keepalived notify script, EC2 ${latency.ec2Ms} ms`;
  const rows: Row[] = [];
  for (const tables of sizes) {
    const samples: number[] = [];
    for (let n = 0; n < runs; n++) samples.push(await once(region, cli, latency, tables));
    rows.push(rowOf(name, tables, samples, { note: cli.version }));
  }
  return rows;
}

async function once(region: FakeRegion, cli: AwsCli, latency: Latency, tables: number): Promise<number> {
  const { vip, item } = vipWith('web', tables);
  await region.build({ latency, buckets: false, vips: [vip], items: [item] });
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
  const env = { ...Object.fromEntries(own), ...environmentVariables(region.endpoint) };
  const startMs = nowMs();
  for (const table of vip.tables) {
    const eni = ['--network-interface-id', 'eni-web-1'];
    const route = ['--route-table-id', table, '--destination-cidr-block', DESTINATION, ...eni];
    await run(cli.program, [...cli.first, 'ec2', 'replace-route', ...route], { env, timeout: CLI_MAX_MS });
  }
  return toLastAccepted(await region.take(), startMs, tables);
}
