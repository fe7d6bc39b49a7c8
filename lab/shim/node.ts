// One node: a folder of its own, emulated IMDS and STS, a TLS bus, and the real shim as a process.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Imds, labCredentials, type RoleCredentials, startImds } from '../aws/imds.ts';
import { type Sts, startSts } from '../aws/sts.ts';
import { type Bus, startBus } from './bus.ts';
import { type Direct, startDirect } from './direct.ts';

export const shimPath = join(import.meta.dirname, '..', '..', 'notify', 'vipshift-notify');
export const region = 'eu-west-1';
export const instanceId = 'i-0abc0000000000001';
export const roleId = 'AROALAB00000000000001';

export interface Node {
  readonly folder: string;
  readonly configFile: string;
  readonly bus: Bus;
  /** The function URL, which the shim uses where its configuration has `direct: 'on'`. */
  readonly direct: Direct;
  readonly imds: Imds;
  readonly sts: Sts;
  /** What IMDS hands out from now on; the bus checks against `bus.signer`, which the test sets. */
  credentials: RoleCredentials;
  userId: string | undefined;
  /** What IMDS says below /latest/meta-data/ from now on, beside that. */
  notices: Readonly<Record<string, string>>;
  /** Starts the shim, by a command in front of it if need be, and waits until it says on stderr what `until` has. */
  start(env?: Record<string, string>, how?: StartHow): Promise<ChildProcess>;
  /** Writes lines as keepalived does, but waits where the FIFO is full. */
  write(...lines: string[]): Promise<void>;
  /** Ends the running shim by this signal and waits for its end. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  stderr(): string;
  status(): Record<string, unknown>;
  stop(): Promise<void>;
}

export interface StartHow {
  /** A program that becomes the shim, such as nsenter. */
  readonly by?: readonly string[];
  /** Default: that it reads the FIFO. */
  readonly until?: string;
  /** Default: that of this checkout. */
  readonly program?: string;
}

export const signerOf = (credentials: RoleCredentials): Bus['signer'] => ({
  accessKeyId: credentials.accessKeyId,
  secretAccessKey: credentials.secretAccessKey,
  sessionToken: credentials.sessionToken,
  region,
  service: 'events',
});

export async function startNode(config: Record<string, string | number> = {}): Promise<Node> {
  const folder = mkdtempSync(join(tmpdir(), 'vipshift-node-'));
  const bus = await startBus(signerOf(labCredentials()), () => stderr);
  const direct = await startDirect({ ...bus.signer, service: 'lambda' }, () => stderr);
  const imds = await startImds({
    instanceId,
    roleName: 'vipshift-node',
    region,
    credentials: () => node.credentials,
    more: () => node.notices,
  });
  const sts = await startSts({ userIdOf: () => node.userId });
  const configFile = join(folder, 'notify.conf');
  const settings: Record<string, string | number> = {
    bus: 'vipshift-test',
    fifo: `${folder}/notify.fifo`,
    state_dir: `${folder}/state`,
    run_dir: `${folder}/run`,
    keepalived_pid: 'none',
    // Asked for by the tests of leaving alone.
    leaving_poll: 0,
    ca_file: bus.caFile,
    endpoint_events: bus.url,
    endpoint_sts: sts.url,
    endpoint_imds: imds.url,
    'instance VI_WEB': 'web',
    ...config,
    ...(config.direct === 'on' && { direct: `${direct.url}/` }),
  };
  const text = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
  writeFileSync(configFile, text.join(''));
  let process_: ChildProcess | undefined;
  let stderr = '';
  const node: Node = {
    folder,
    configFile,
    bus,
    direct,
    imds,
    sts,
    credentials: labCredentials(),
    userId: `${roleId}:${instanceId}`,
    notices: {},
    start: async (env = {}, { by = [], until = 'reading ', program = shimPath } = {}) => {
      const [first, ...args] = [...by, program, 'run', '--config', configFile];
      const child = spawn(first!, args, {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: process.env.PATH ?? '', ...env },
      });
      process_ = child;
      await new Promise<void>((resolve, reject) => {
        const from = stderr.length;
        child.stderr.on('data', (chunk: Buffer) => {
          stderr += chunk.toString();
          if (stderr.slice(from).includes(until)) resolve();
        });
        child.once('close', (code) =>
          reject(new Error(`the shim ended with ${code}: ${stderr.slice(from)}`)),
        );
      });
      return child;
    },
    write: (...lines) => writeLines(`${folder}/notify.fifo`, lines),
    kill: async (signal = 'SIGTERM') => {
      const child = process_;
      process_ = undefined;
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
    stderr: () => stderr,
    status: () =>
      JSON.parse(
        execFileSync(shimPath, ['status', '--json', '--config', configFile], { encoding: 'utf8' }),
      ) as Record<string, unknown>,
    stop: async () => {
      await node.kill('SIGKILL');
      await Promise.all([bus.stop(), direct.stop(), imds.stop(), sts.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return node;
}

async function writeLines(fifo: string, lines: readonly string[]): Promise<void> {
  // Both ways, so that it opens while no shim runs, as systemd's own descriptor lets keepalived's open succeed.
  const file = await open(fifo, constants.O_RDWR);
  try {
    for (const line of lines) await file.write(`${line}\n`);
  } finally {
    await file.close();
  }
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}
