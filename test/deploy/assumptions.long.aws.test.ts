// The probes of live --assumptions, asked of the local AWS: they work, and they can fail.
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeInstancesCommand, DescribeVpcsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { poll } from '../../lab/aws/stack/poll.ts';
import { localAccount, shellAccount } from '../../live/assumptions/account.ts';
import { allProbes, instanceProbes } from '../../live/assumptions/all.ts';
import { type Account, type Answer, answers, line, type Probe } from '../../live/assumptions/questions.ts';
import {
  answering,
  asking,
  keysScript,
  readKeys,
  readSwitch,
  script,
} from '../../live/assumptions/script.ts';
import { trustIn } from '../../live/build/node-role.ts';

let aws: LocalAws;
let ec2: EC2Client;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws?.stop());

const never = new AbortController().signal;
const accountOf = (signal: AbortSignal = never): Account => {
  const account = localAccount(aws, signal);
  ec2 = account.ec2;
  return account;
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
  const found = await asked(account, allProbes);
  // The emulator evaluates no policies: what must be refused is not, and each probe has to find that out. And nothing runs on it.
  const verdicts = Object.fromEntries(found.map(({ what, verdict }) => [what.slice(0, 40), verdict]));
  expect(verdicts).toEqual({
    'ReplaceRoute on a missing route gives an': 'PASS',
    'one AssociateAddress moves an EIP from E': 'PASS',
    'curl signs PutEvents as AWS wants it (7.': 'PASS',
    'the bus’s policy keeps a claim’s source ': 'FAIL',
    'the bus’s policy lets a session of the n': 'FAIL',
    'the bus’s policy takes claims from nodes': 'FAIL',
    'ec2:Attribute confines ModifyNetworkInte': 'FAIL',
    'states:SendTaskSuccess is allowed by the': 'PASS',
    'aws:SourceAccount is in the context when': 'PASS',
    'EC2 reports within 10 s that an instance': 'SKIP',
    'packets follow an accepted ReplaceRoute ': 'SKIP',
    'EC2’s own credentials show at PutEvents ': 'SKIP',
  });
  expect(found.map(line).filter((text) => text.includes('left behind'))).toEqual([]);
  expect(await vpcs()).toBe(before);
});

describe('with instances that are played', () => {
  /** The emulator keeps the network and the instances; what they would have said is put into the answers. */
  function played(
    told: { readonly stateMs: number; readonly gapMs: number; readonly keys: string },
    signal?: AbortSignal,
  ): Account {
    const account = accountOf(signal);
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
      return `VIPSHIFT ready a\nVIPSHIFT switched ${firstMs - told.gapMs} ${firstMs}\nVIPSHIFT keys ${told.keys}\n`;
    };
    const fromInstances = says({
      DescribeImagesCommand: () => ({ Images: [{ ImageId: 'ami-12345678', CreationDate: '2026' }] }),
      GetConsoleOutputCommand: () => ({ Output: Buffer.from(lines()).toString('base64') }),
    });
    account.ec2.middlewareStack.add(fromInstances as never, { step: 'initialize' });
    // The emulator's EC2 does not know its IAM.
    const withoutProfile = (next: Next) => (args: { readonly input: object }) =>
      next({ ...args, input: { ...args.input, IamInstanceProfile: undefined } });
    account.ec2.middlewareStack.add(withoutProfile as never, { step: 'initialize' });
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
    [{ stateMs: 1400, gapMs: 210, keys: 'refused accepted' }, ['PASS', 'PASS', 'PASS']],
    [{ stateMs: 11_000, gapMs: 1300, keys: 'refused refused' }, ['FAIL', 'FAIL', 'FAIL']],
  ])('%j: says %j with what it found, and takes everything away', async (told, verdicts) => {
    const account = played(told);
    const before = await vpcs();
    const found = await asked(account, instanceProbes);
    expect(found.map((a) => a.verdict)).toEqual(verdicts);
    expect(found[0]!.found).toContain(`${told.stateMs} ms after EC2’s stamp`);
    expect(found[1]!.found).toContain(`${told.gapMs} ms between the last answer`);
    const [arn, vpc] = told.keys.split(' ');
    expect(found[2]!.found).toContain(`ec2:SourceInstanceARN: ${arn}, aws:EC2InstanceSourceVPC: ${vpc}; `);
    expect(found[2]!.found).toContain(
      vpc === 'accepted' ? 'use instanceCredentials=instance-vpc' : 'leave instanceCredentials at any',
    );
    expect(found.map(line).filter((text) => text.includes('left behind'))).toEqual([]);
    expect(await vpcs()).toBe(before);
    const { Reservations = [] } = await account.ec2.send(new DescribeInstancesCommand({}));
    const states = Reservations.flatMap((r) => r.Instances ?? []).map((i) => i.State?.Name);
    expect(new Set(states)).toEqual(new Set(['terminated']));
  });

  const interrupted = [...allProbes.slice(0, 2), ...instanceProbes];
  it.each(interrupted.map((probe) => [probe.what, probe] as const))(
    '%s: takes everything away when it is interrupted, at whichever call of EC2 that makes something, and asks no more',
    async (_what, probe) => {
      const before = await vpcs();
      for (let at = 1, isThrough = false; !isThrough; at++) {
        const aborting = new AbortController();
        const account = played({ stateMs: 1400, gapMs: 210, keys: 'refused accepted' }, aborting.signal);
        let calls = 0;
        type Next = (args: unknown) => Promise<unknown>;
        const counted = (next: Next, { commandName = '' }: { readonly commandName?: string }): Next => {
          return (args) => {
            if (/^(Create|Run|Allocate|Attach|Associate)/.test(commandName)) calls += 1;
            // The call is under way: it is carried out all the same.
            if (calls === at) aborting.abort(new Error('SIGINT'));
            return next(args);
          };
        };
        account.ec2.middlewareStack.add(counted as never, { step: 'initialize', priority: 'high' });
        const next: Probe = { what: 'the next one', ask: async () => ({ verdict: 'PASS', found: 'asked' }) };
        const found = await asked(account, [probe, next]);
        isThrough = !aborting.signal.aborted;
        expect(found.map(line).filter((text) => text.includes('left behind'))).toEqual([]);
        expect(await vpcs(), `interrupted at call ${at}`).toBe(before);
        expect(found).toHaveLength(isThrough ? 2 : 1);
      }
      const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
      const states = Reservations.flatMap((r) => r.Instances ?? []).map((i) => i.State?.Name);
      expect([...new Set(states)].filter((state) => state !== 'terminated')).toEqual([]);
    },
  );
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

  /** What the instance would have: a metadata service and STS that answer, and an EventBridge that takes the first bus's events. */
  it('the keys’ script signs as the node does, with the session’s own source, and says what each bus answered', async () => {
    const curl = join(folder, 'curl');
    const calls = join(folder, 'calls');
    const body = [
      `printf '%s\\n' "$*" >>'${calls}'`,
      'case "$*" in',
      '  *api/token*) echo TOKEN ;;',
      '  *security-credentials/) echo node ;;',
      `  *security-credentials/node*) echo '{ "AccessKeyId" : "AKIA", "SecretAccessKey" : "s/e+c", "Token" : "t/o=k" }' ;;`,
      '  *GetCallerIdentity*) echo "<Arn>x</Arn><UserId>AROAX:i-0123</UserId>" ;;',
      `  *first*) echo '{"FailedEntryCount":0}' ;;`,
      `  *) echo '{"__type":"AccessDeniedException"}' ;;`,
      'esac',
    ];
    writeFileSync(curl, `#!/bin/bash\n${body.join('\n')}\n`, { mode: 0o755 });
    const console = join(folder, 'keys');
    const text = keysScript({
      buses: ['first', 'second'],
      endpoint: 'https://events.example',
      stsEndpoint: 'https://sts.example',
      region: 'eu-central-1',
    })
      .replace('/dev/console', console)
      .replace('shutdown -h +60', '')
      .replace('sleep 20', '');
    const shell = spawn('bash', ['-s'], {
      stdio: ['pipe', 'ignore', 'inherit'],
      env: { PATH: `${folder}:${process.env.PATH}` },
    });
    shell.stdin.end(text);
    expect(await once(shell, 'exit')).toEqual([0, null]);
    expect(readKeys(readFileSync(console, 'utf8'))).toEqual(['accepted', 'refused']);
    const sent = readFileSync(calls, 'utf8');
    expect(sent).toContain(
      '--aws-sigv4 aws:amz:eu-central-1:events --user AKIA:s/e+c -H x-amz-security-token: t/o=k',
    );
    expect(sent).toContain('"Source":"vipshift.notify/AROAX:i-0123","DetailType":"VRRP State Change"');
    expect(sent).toContain(' https://sts.example/?Action=GetCallerIdentity&Version=2011-06-15');
    expect(text.length).toBeLessThan(16_384);
  });

  it.each([
    ['eu-central-1', 'amazonaws.com', 'ec2.amazonaws.com'],
    ['us-gov-west-1', 'amazonaws.com', 'ec2.amazonaws.com'],
    ['cn-north-1', 'amazonaws.com.cn', 'ec2.amazonaws.com.cn'],
  ])(
    'in %s they ask the endpoints and have the service of its partition',
    async (region, suffix, service) => {
      const { eventsEndpoint, stsEndpoint } = await shellAccount(region, never);
      expect([eventsEndpoint, stsEndpoint]).toEqual([
        `https://events.${region}.${suffix}`,
        `https://sts.${region}.${suffix}`,
      ]);
      expect(trustIn(region).Statement[0]!.Principal).toEqual({ Service: service });
    },
  );

  it('a console without the word is no switch', () => {
    expect(readKeys('VIPSHIFT ready a')).toBeUndefined();
    expect(readSwitch('[   12.1] VIPSHIFT ready a\n')).toBeUndefined();
    expect(readSwitch('x VIPSHIFT switched 1000 1250\n')).toEqual({ gapMs: 250, firstNewMs: 1250 });
  });
});
