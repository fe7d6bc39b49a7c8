// How long a line in the notify FIFO takes to become a signed request at a TLS server on loopback, credentials warm; and
// how long the AWS CLI takes for the same, as most hand-written notify scripts use it.
//
// Limit: loopback has no network; what is measured is what the node itself adds. The AWS CLI's figure starts at its fork,
// without the shell of a notify script around it.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Node, residentBytes, startNode } from '../lab/shim/node.ts';
import { type AwsCli, awsCli } from './aws-cli.ts';
import { measureIdle, printIdle } from './shim-idle.ts';
import { measureStorm, printStorm } from './shim-storm.ts';

interface Figures {
  readonly runs: number;
  readonly minMs: number;
  readonly medianMs: number;
  readonly p90Ms: number;
}

export interface ShimFigures {
  readonly shim: Figures & { readonly residentBytes: number };
  readonly awsCli: Figures & { readonly version: string };
}

const nowMs = (): number => performance.timeOrigin + performance.now();

function figures(samples: readonly number[]): Figures {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => Number(sorted[Math.floor((sorted.length - 1) * share)]!.toFixed(1));
  return { runs: sorted.length, minMs: at(0), medianMs: at(0.5), p90Ms: at(0.9) };
}

/** The instant at which the next transition arrived. */
async function arrival(node: Node, before: number): Promise<number> {
  const find = () => node.bus.accepted.slice(before).find(({ detail }) => detail.kind === 'transition');
  await node.bus.until(() => find() !== undefined);
  return find()!.arrivedAtMs;
}

/** A transition puts off the assertions, so that none of them gets into the measurement. */
async function measureShim(node: Node, from: number, runs: number): Promise<number[]> {
  const samples: number[] = [];
  for (let run = from; run < from + runs; run++) {
    const before = node.bus.accepted.length;
    const wroteAtMs = nowMs();
    await node.write(`INSTANCE "VI_WEB" ${run % 2 ? 'BACKUP' : 'MASTER'} 254`);
    samples.push((await arrival(node, before)) - wroteAtMs);
  }
  return samples;
}

const environment = (node: Node): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: node.folder,
  AWS_ACCESS_KEY_ID: node.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: node.credentials.secretAccessKey,
  AWS_SESSION_TOKEN: node.credentials.sessionToken,
  AWS_REGION: 'eu-west-1',
  AWS_DEFAULT_REGION: 'eu-west-1',
  AWS_CA_BUNDLE: node.bus.caFile,
});

async function measureCli(node: Node, cli: AwsCli, runs: number): Promise<number[]> {
  const file = join(node.folder, 'entries.json');
  const { source, detailType, bus, detail } = node.bus.accepted[0]!;
  const entry = { Source: source, DetailType: detailType, EventBusName: bus, Detail: JSON.stringify(detail) };
  writeFileSync(file, JSON.stringify([entry]));
  const args = ['events', 'put-events', '--endpoint-url', node.bus.url, '--entries', `file://${file}`];
  const samples: number[] = [];
  for (let run = 0; run < runs; run++) {
    const before = node.bus.requests.length;
    const startedAtMs = nowMs();
    const child = spawn(cli.program, [...cli.first, ...args], { env: environment(node), stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await ended;
    const request = node.bus.requests[before];
    if (!request || request.fault)
      throw new Error(`the AWS CLI's request did not arrive intact: ${request?.fault}`);
    samples.push(request.atMs - startedAtMs);
  }
  return samples;
}

export async function measureBoth(runs: number): Promise<ShimFigures> {
  const node = await startNode();
  try {
    const child = await node.start();
    await measureShim(node, 1, 3);
    const samples = await measureShim(node, 4, runs);
    const shim = { ...figures(samples), residentBytes: residentBytes(child.pid!) };
    await node.kill();
    const cli = await awsCli();
    const took = figures(await measureCli(node, cli, Math.max(5, Math.round(runs / 5))));
    return { shim, awsCli: { ...took, version: cli.version } };
  } finally {
    await node.stop();
  }
}

function print({ shim, awsCli: cli }: ShimFigures): void {
  const row = (name: string, one: Figures): string =>
    `${name.padEnd(28)}${String(one.runs).padStart(6)}${String(one.minMs).padStart(9)}${String(one.medianMs).padStart(9)}${String(one.p90Ms).padStart(9)}`;
  console.log('FIFO line (or fork of the AWS CLI) to signed request at a TLS server on loopback, ms');
  console.log(
    `${''.padEnd(28)}${'runs'.padStart(6)}${'min'.padStart(9)}${'median'.padStart(9)}${'p90'.padStart(9)}`,
  );
  console.log(row('vipshift-notify', shim));
  console.log(row(cli.version, cli));
  console.log(`resident memory of the daemon: ${(shim.residentBytes / 1e6).toFixed(1)} MB`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      runs: { type: 'string', default: '40' },
      /** Lines that come within ten seconds, instead of single ones. */
      storm: { type: 'string' },
      vips: { type: 'string', default: '3' },
      /** Seconds in which nothing happens. */
      idle: { type: 'string' },
    },
  });
  if (values.idle !== undefined) {
    const seconds = Number(values.idle);
    if (!Number.isInteger(seconds) || seconds < 5) {
      console.error(`bench/shim: --idle is "${values.idle}", expected a whole number of seconds from 5 on`);
      process.exit(2);
    }
    const idle = await measureIdle(seconds);
    if (values.json) console.log(JSON.stringify(idle));
    else printIdle(idle);
    process.exit(0);
  }
  if (values.storm !== undefined) {
    const storm = { lines: Number(values.storm), vips: Number(values.vips), overMs: 10_000 };
    if (
      !(
        Number.isInteger(storm.vips) &&
        storm.vips >= 1 &&
        Number.isInteger(storm.lines) &&
        storm.lines >= storm.vips
      )
    ) {
      console.error(
        `bench/shim: --storm is "${values.storm}" and --vips "${values.vips}", expected whole numbers, lines first`,
      );
      process.exit(2);
    }
    const figures = await measureStorm(storm);
    if (values.json) console.log(JSON.stringify(figures));
    else printStorm(figures);
    process.exit(0);
  }
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 5 || runs > 1000) {
    console.error(`bench/shim: --runs is "${values.runs}", expected a number from 5 to 1000`);
    process.exit(2);
  }
  const result = await measureBoth(runs);
  if (values.json) console.log(JSON.stringify(result));
  else print(result);
}
