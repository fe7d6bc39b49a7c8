// A registry of 2,000 VIPs from a terminal: how long, how many calls, and how it shows how far it is. Prints what it measured:
// npx vitest run test/cli/shape/large.long.aws.test.ts
//
// Limit: the emulator answers on loopback, with the speed of one Python process. Calls are what AWS would get, times are not.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LoggedCall } from '../../../lab/fault/call-log.ts';
import { type FaultProxy, startFaultProxy } from '../../../lab/fault/proxy.ts';
import { type Region, startRegion } from '../region.ts';

vi.setConfig({ testTimeout: 600_000 });

const VIPS = 2000;
const root = join(import.meta.dirname, '..', '..', '..');

let region: Region;
let dynamo: FaultProxy;
let ec2: FaultProxy;
let folder: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vipshift-large-'));
  region = await startRegion();
  dynamo = await startFaultProxy({ target: region.aws.endpoint });
  ec2 = await startFaultProxy({ target: region.aws.ec2Endpoint });
  env = { ...region.env, AWS_ENDPOINT_URL: dynamo.endpoint, AWS_ENDPOINT_URL_EC2: ec2.endpoint };
});
afterAll(async () => {
  await Promise.all([dynamo?.stop(), ec2?.stop()]);
  await region?.stop();
  await rm(folder, { recursive: true, force: true });
});

const addressOf = (n: number): string => `192.168.${100 + Math.floor(n / 250)}.${1 + (n % 250)}`;
const nameOf = (n: number): string => `vip-${String(n).padStart(4, '0')}`;

async function manifest(count: number): Promise<string> {
  const lines = Array.from(
    { length: count },
    (_, n) =>
      `  ${nameOf(n)}: { vpc: ${region.vpc.vpcId}, addresses: [${addressOf(n)}], tableLabels: [web], nodeLabels: [web] }`,
  );
  const file = join(folder, `${count}.yaml`);
  await writeFile(file, `vips:\n${lines.join('\n')}\n`);
  return file;
}

/** In a terminal of 80 columns: what appeared there, with the status and the time. */
async function onTerminal(...args: readonly string[]) {
  const began = performance.now();
  const command = [process.execPath, join(root, 'cli', 'vipshift.ts'), ...args]
    .map((a) => `'${a}'`)
    .join(' ');
  const child = spawn('script', ['-qefc', `stty cols 80 rows 24; ${command}`, '/dev/null'], {
    env: { ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, screen, ms: performance.now() - began };
}

/** Each is drawn over the one before it, up to the end of its line. */
const bars = (screen: string): readonly string[] =>
  screen.split('\u001b[K').flatMap((part) => /\r(\[[█·]+\].*)$/u.exec(part)?.[1] ?? []);

function counted(calls: readonly LoggedCall[]): string {
  const counts = new Map<string, number>();
  for (const { action } of calls) counts.set(action, (counts.get(action) ?? 0) + 1);
  return [...counts].map(([action, count]) => `${action} ${count}`).join(', ');
}

const told: string[] = [];
const tell = (line: string): void => {
  told.push(line);
};
afterAll(() => process.stdout.write(`${told.join('\n')}\n`));

describe('2,000 VIPs', () => {
  test('apply registers them in parallel, with a bar; DynamoDB’s limits make it wait, one that is refused hides no other', async () => {
    const file = await manifest(VIPS);
    dynamo.add({ on: 'UpdateItem', chance: 0.02, fault: { does: 'refuse', code: 'ThrottlingException' } });
    const denied = dynamo.add({
      on: ['PutItem', 'UpdateItem', 'TransactWriteItems'],
      where: ({ parameters }) => JSON.stringify(parameters).includes(nameOf(13)),
      fault: { does: 'refuse', code: 'AccessDeniedException', message: 'not you' },
    });
    const ran = await onTerminal('apply', file, '--yes', '--reason', 'a test of size');
    const shown = bars(ran.screen);
    tell(`apply of ${VIPS} VIPs: ${(ran.ms / 1000).toFixed(1)} s`);
    tell(`  EC2: ${counted(ec2.calls)}; DynamoDB: ${counted(dynamo.calls)}`);
    for (const part of [0.25, 0.5, 0.75]) tell(`  ${shown[Math.floor(shown.length * part)]}`);
    const last = ran.screen.trimEnd().split('\n').slice(-3);
    for (const line of last) tell(`  ${line.split('\u001b[K').at(-1)!.trim()}`);
    expect(ran.status).toBe(1);
    expect(shown.length).toBeGreaterThan(3);
    for (const bar of shown) expect(bar.length).toBeLessThanOrEqual(80);
    expect(ran.screen).toMatch(/vip-0013: not written: /);
    expect(ran.screen).toMatch(/1999 of 2000 written/);
    expect(ran.screen).toMatch(/1 failed, 0 not tried; run the same command again/);
    // EC2 is looked at once for all.
    expect(ec2.calls.length).toBeLessThan(20);
    expect((await region.vips.list()).length).toBe(VIPS - 1);

    denied.remove();
    dynamo.forgetCalls();
    const again = await onTerminal('apply', file, '--yes');
    tell(`  run again: ${(again.ms / 1000).toFixed(1)} s, DynamoDB: ${counted(dynamo.calls)}`);
    expect(again.status).toBe(0);
    expect(again.screen).toMatch(/vip-0013: registered/);
    expect((await region.vips.list()).length).toBe(VIPS);
  });

  test('status of 500 and of all', async () => {
    dynamo.clearRules();
    for (const [count, prune] of [
      [VIPS, false],
      [500, true],
    ] as const) {
      if (prune) {
        const file = await manifest(count);
        const pruned = await onTerminal('apply', file, '--yes', '--prune', '--force');
        tell(`apply --prune of ${VIPS - count}: ${(pruned.ms / 1000).toFixed(1)} s`);
        expect(pruned.status, pruned.screen.slice(-500)).toBe(0);
      }
      dynamo.forgetCalls();
      ec2.forgetCalls();
      const ran = await onTerminal('status');
      const rows = ran.screen.split('\n').filter((line) => /^vip-\d{4} /.test(line));
      tell(`status of ${count} VIPs: ${(ran.ms / 1000).toFixed(1)} s`);
      tell(`  EC2: ${counted(ec2.calls)}; DynamoDB: ${counted(dynamo.calls)}`);
      const shown = bars(ran.screen);
      tell(`  bar: ${shown.at(-1) ?? 'none, it was over within two seconds'}`);
      expect(rows).toHaveLength(count);
      expect(ran.status).toBe(0);
      // By pages and hundreds, not by VIPs.
      expect(ec2.calls.length + dynamo.calls.length).toBeLessThan(count / 5);
    }
  });
});
