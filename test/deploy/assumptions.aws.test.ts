// The probes of live --assumptions, asked of the local AWS: they work, and they can fail.
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeInstancesCommand, DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { poll } from '../../lab/aws/stack/poll.ts';
import {
  type Account,
  type Answer,
  answers,
  line,
  type Probe,
  probes,
} from '../../live/assumptions/questions.ts';
import { runningProbes } from '../../live/assumptions/run.ts';
import { answering, asking, readSwitch, script } from '../../live/assumptions/script.ts';

let aws: LocalAws;
let ec2: EC2Client;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws?.stop());

const accountOf = (): Account => {
  const credentials = { accessKeyId: aws.accountId, secretAccessKey: 'local' };
  const access = { region: aws.region, credentials };
  ec2 = new EC2Client({ ...access, endpoint: aws.ec2Endpoint });
  const events = new EventBridgeClient({ ...access, endpoint: aws.endpoint });
  const logs = new CloudWatchLogsClient({ ...access, endpoint: aws.endpoint });
  return { ec2, events, logs, region: aws.region, eventsEndpoint: aws.endpoint };
};
async function asked(account: Account, which: readonly Probe[]): Promise<readonly Answer[]> {
  const found: Answer[] = [];
  for await (const answer of answers(account, which)) found.push(answer);
  return found;
}
const vpcs = async () => (await ec2.send(new DescribeVpcsCommand({}))).Vpcs?.length;

it('answers one line for each assumption, and leaves nothing behind', async () => {
  const account = accountOf();
  const before = await vpcs();
  const found = await asked(account, [...probes, ...runningProbes]);
  // The emulator evaluates no policies: the probe for the source has to find that out. And nothing runs on it.
  expect(found.map((a) => a.verdict)).toEqual(['PASS', 'PASS', 'FAIL', 'PASS', 'SKIP', 'SKIP']);
  expect(found.map(line).filter((text) => text.includes('left behind'))).toEqual([]);
  expect(await vpcs()).toBe(before);
});

describe('with instances that are played', () => {
  /** The emulator keeps the network and the instances; what they would have said is put into the answers. */
  function played(told: { readonly stateMs: number; readonly gapMs: number }): Account {
    const account = accountOf();
    type Next = (args: unknown) => Promise<unknown>;
    const says =
      (said: Readonly<Record<string, () => object>>) =>
      (next: Next, { commandName = '' }: { readonly commandName?: string }): Next =>
      async (args) =>
        commandName in said
          ? { response: {}, output: { $metadata: {}, ...said[commandName]!() } }
          : next(args);
    const lines = () => {
      const firstMs = Date.now() + told.gapMs;
      return `VIPSHIFT ready a\nVIPSHIFT switched ${firstMs - told.gapMs} ${firstMs}\n`;
    };
    const fromInstances = says({
      DescribeImagesCommand: () => ({ Images: [{ ImageId: 'ami-12345678', CreationDate: '2026' }] }),
      GetConsoleOutputCommand: () => ({ Output: Buffer.from(lines()).toString('base64') }),
    });
    account.ec2.middlewareStack.add(fromInstances as never, { step: 'initialize' });
    const time = '2026-11-22T10:00:00Z';
    const event = { message: JSON.stringify({ time }), ingestionTime: Date.parse(time) + told.stateMs };
    const nothing = () => ({});
    // The emulator knows no policies of the log.
    const policies = { PutResourcePolicyCommand: nothing, DeleteResourcePolicyCommand: nothing };
    const fromLog = says({ FilterLogEventsCommand: () => ({ events: [event] }), ...policies });
    account.logs.middlewareStack.add(fromLog as never, { step: 'initialize' });
    return account;
  }

  it.each([
    [{ stateMs: 1400, gapMs: 210 }, ['PASS', 'PASS']],
    [{ stateMs: 11_000, gapMs: 1300 }, ['FAIL', 'FAIL']],
  ])('%j: says %j with what it found, and takes everything away', async (told, verdicts) => {
    const account = played(told);
    const before = await vpcs();
    const found = await asked(account, runningProbes);
    expect(found.map((a) => a.verdict)).toEqual(verdicts);
    expect(found[0]!.found).toContain(`${told.stateMs} ms after EC2’s stamp`);
    expect(found[1]!.found).toContain(`${told.gapMs} ms between the last answer`);
    expect(found.map(line).filter((text) => text.includes('left behind'))).toEqual([]);
    expect(await vpcs()).toBe(before);
    const { Reservations = [] } = await account.ec2.send(new DescribeInstancesCommand({}));
    const states = Reservations.flatMap((r) => r.Instances ?? []).map((i) => i.State?.Name);
    expect(new Set(states)).toEqual(new Set(['terminated']));
  });
});

describe('what the instances do', () => {
  const started: ChildProcess[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'vipshift-test-'));
  const python = (program: string, ...args: readonly string[]): ChildProcess => {
    const file = join(folder, `${started.length}.py`);
    writeFileSync(file, program);
    const child = spawn('python3', [file, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
    started.push(child);
    return child;
  };
  afterEach(async () => {
    for (const child of started.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('the client says when it is answered, and when by another: the gap is that between the two', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const port = String(socket.address().port);
    socket.close();
    await once(socket, 'close');
    const console = join(folder, 'console');
    writeFileSync(console, '');
    const told = (word: string) =>
      poll(word, async () => (readFileSync(console, 'utf8').includes(word) ? true : undefined));
    const a = python(answering, 'a', '127.0.0.1', port);
    python(asking, '127.0.0.1', port, console);
    await told('VIPSHIFT ready a');
    const beganMs = Date.now();
    a.kill('SIGKILL');
    await once(a, 'exit');
    python(answering, 'b', '127.0.0.1', port);
    await told('VIPSHIFT switched');
    const { gapMs, firstNewMs } = readSwitch(readFileSync(console, 'utf8'))!;
    expect(firstNewMs).toBeGreaterThan(beganMs);
    expect(gapMs).toBeGreaterThan(0);
    expect(gapMs).toBeLessThanOrEqual(Date.now() - beganMs + 1000);
  });

  it('each script is good shell, below EC2’s limit, and ends its machine after an hour', async () => {
    for (const part of ['a', 'b', 'client', 'idle'] as const) {
      const text = script(part, '192.168.255.250/32');
      const shell = spawn('bash', ['-n'], { stdio: ['pipe', 'ignore', 'inherit'] });
      shell.stdin.end(text);
      expect(await once(shell, 'exit')).toEqual([0, null]);
      expect(text.length).toBeLessThan(16_384);
      expect(text).toContain('shutdown -h +60');
    }
  });

  it('a console without the word is no switch', () => {
    expect(readSwitch('[   12.1] VIPSHIFT ready a\n')).toBeUndefined();
    expect(readSwitch('x VIPSHIFT switched 1000 1250\n')).toEqual({ gapMs: 250, firstNewMs: 1250 });
  });
});
