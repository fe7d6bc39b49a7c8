// `npm run live` as a process against a local AWS, the account's own code path: interrupted, killed, cleaned up after.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childEnv, type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { type FaultProxy, startFaultProxy } from '../../lab/fault/proxy.ts';
import { contents } from './account.ts';

let aws: LocalAws;
let proxy: FaultProxy;
let before: readonly string[];
const running: ChildProcess[] = [];

beforeAll(async () => {
  // Slow machines: the interrupt comes while CloudFormation makes the second.
  const slow = { on: 'RunInstances', skip: 1, fault: { does: 'delay', requestMs: 4_000 } } as const;
  proxy = await startFaultProxy({ target: () => aws.ec2Endpoint, rules: [slow] });
  aws = await startLocalAws({ ec2EndpointForStacks: proxy.endpoint });
  before = await contents(aws);
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await proxy?.stop();
  await aws?.stop();
});

interface Live {
  readonly child: ChildProcess;
  said(): string;
  printed(): string;
  /** Resolves when this has come on standard error. */
  hears(text: string | RegExp): Promise<void>;
  ended(): Promise<number | string>;
}

const live = (...args: readonly string[]): Live => liveWith({}, ...args);

function liveWith(more: Readonly<Record<string, string>>, ...args: readonly string[]): Live {
  const env = {
    ...childEnv(aws),
    // Where the instance profiles are that the emulated EC2 knows, and AWS's public parameters.
    AWS_ENDPOINT_URL_IAM: aws.ec2Endpoint,
    AWS_ENDPOINT_URL_SSM: aws.ec2Endpoint,
    ...more,
  };
  const program = join(import.meta.dirname, '..', '..', 'live', 'cli.ts');
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const end = once(child, 'close') as Promise<[number | null, string | null]>;
  return {
    child,
    said: () => err,
    printed: () => out,
    hears: (text) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (typeof text === 'string' ? err.includes(text) : text.test(err)) resolve();
        };
        child.stderr.on('data', check);
        child.once('close', () => reject(new Error(`it ended without ${text}: ${err}`)));
        check();
      }),
    async ended() {
      const [code, signal] = await end;
      return signal ?? code!;
    },
  };
}

const left = async () => (await contents(aws)).filter((thing) => !before.includes(thing));
const runOf = (said: string): string => /run ([0-9a-f]{8})\./.exec(said)?.[1] ?? 'none';
const secondMachine = async (one: Live): Promise<void> => {
  await one.hears('labelled route tables, and the machines');
  while (proxy.calls.filter(({ action }) => action === 'RunInstances').length < 2)
    await new Promise((resolve) => setImmediate(resolve));
};

describe('npm run live', () => {
  it('says what it builds and costs, and makes nothing without consent', async () => {
    const one = live('--drills', '50');
    expect(await one.ended()).toBe(2);
    expect(one.said()).toContain('50 drills (demote, crash)');
    expect(one.said()).toMatch(/all of it +0\.\d+/);
    expect(one.said()).toContain('cannot ask for confirmation');
    expect(await left()).toEqual([]);
  });

  it('removes everything when it is interrupted in the middle of the building, and ends with 130', async () => {
    proxy.forgetCalls();
    const one = live('--yes', '--tables', '1', '--json');
    await secondMachine(one);
    expect((await left()).length).toBeGreaterThan(10);
    one.child.kill('SIGINT');
    expect(await one.ended()).toBe(130);
    expect(one.said()).toContain('everything was removed');
    expect(JSON.parse(one.printed())).toMatchObject({ drills: [], failure: 'interrupted', left: [] });
    expect(await left()).toEqual([]);
  });

  it('removes with --clean what a killed run has left, by its id alone', async () => {
    proxy.forgetCalls();
    const one = live('--yes', '--tables', '1');
    await secondMachine(one);
    one.child.kill('SIGKILL');
    expect(await one.ended()).toBe('SIGKILL');
    expect((await left()).length).toBeGreaterThan(10);
    const other = live('--clean', '00000000');
    expect(await other.ended()).toBe(0);
    expect((await left()).length).toBeGreaterThan(10);
    const cleaning = live('--clean', runOf(one.said()));
    expect(await cleaning.ended()).toBe(0);
    expect(cleaning.said()).toContain('everything was removed');
    expect(await left()).toEqual([]);
  });
});

describe('npm run live -- --assumptions', () => {
  it('removes what it has made when it is interrupted, and ends with 130', async () => {
    proxy.forgetCalls();
    const slow = proxy.add({ on: 'CreateRouteTable', fault: { does: 'delay', requestMs: 1_000 } });
    const one = liveWith({ AWS_ENDPOINT_URL_EC2: proxy.endpoint }, '--assumptions');
    while (!proxy.calls.some(({ action }) => action === 'CreateRouteTable'))
      await new Promise((resolve) => setImmediate(resolve));
    one.child.kill('SIGINT');
    expect(await one.ended()).toBe(130);
    slow.remove();
    expect(one.said()).toContain('SIGINT: stopping, then everything is removed');
    expect(one.printed()).toMatch(/^SKIP {2}ReplaceRoute on a missing route .*: interrupted\n$/);
    expect(await left()).toEqual([]);
  });
});
