// A node of the demo: the real shim as a process, with a FIFO that the demo writes to in keepalived's stead, and an
// emulated IMDS and STS that make it the instance that it stands for.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { mkdtemp, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { labCredentials, startImds } from '../aws/imds.ts';
import { NODE_ROLE_ID, type Stack, VIP } from '../aws/stack/stack.ts';
import type { LabNode } from '../aws/stack/vpc.ts';
import { startSts } from '../aws/sts.ts';

export interface DemoNode {
  readonly name: string;
  readonly instanceId: string;
  /** A line as keepalived writes it into its notify FIFO. */
  says(line: string): Promise<void>;
  /** Without a word: its shim reports nothing any more. */
  dies(): Promise<void>;
  stop(): Promise<void>;
}

const shim = join(import.meta.dirname, '..', '..', 'notify', 'vipshift-notify');
const START_MAX_MS = 10_000;

export async function startDemoNode(stack: Stack, node: LabNode): Promise<DemoNode> {
  const { aws, deployment } = stack;
  // In the local AWS's own folder, which goes with it however this process ends.
  const folder = await mkdtemp(join(aws.folder, `node-${node.name}-`));
  // MiniStack takes a key id of twelve digits as the account.
  const credentials = () => ({ ...labCredentials(), accessKeyId: aws.accountId });
  const imds = await startImds({
    instanceId: node.instanceId,
    roleName: 'vipshift-node',
    region: aws.region,
    credentials,
  });
  const sts = await startSts({ userIdOf: () => `${NODE_ROLE_ID}:${node.instanceId}` });
  const config = {
    bus: deployment.busName,
    fifo: `${folder}/notify.fifo`,
    state_dir: `${folder}/state`,
    run_dir: `${folder}/run`,
    keepalived_pid: 'none',
    endpoint_events: aws.endpoint,
    endpoint_sts: sts.url,
    endpoint_imds: imds.url,
    'instance VI_WEB': VIP,
  };
  const lines = Object.entries(config).map(([key, value]) => `${key} = ${value}\n`);
  const file = join(folder, 'notify.conf');
  await writeFile(file, lines.join(''));
  let child: ChildProcess | undefined;
  const stop = async () => {
    await end(child);
    await Promise.all([imds.stop(), sts.stop()]);
  };
  try {
    child = await startShim(file);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: node.name,
    instanceId: node.instanceId,
    stop,
    dies: () => end(child, 'SIGKILL'),
    async says(line) {
      const fifo = await open(config.fifo, constants.O_RDWR | constants.O_NONBLOCK);
      try {
        await fifo.write(`${line}\n`);
      } finally {
        await fifo.close();
      }
    },
  };
}

/** Resolves when the shim says that it reads its FIFO. */
async function startShim(config: string): Promise<ChildProcess> {
  const env = { PATH: process.env.PATH ?? '' };
  // However this process ends, the shim ends with it.
  const args = ['--pdeathsig', 'KILL', '--', shim, 'run', '--config', config];
  const child = spawn('setpriv', args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the shim did not read its FIFO within ${START_MAX_MS / 1000} s: ${said}`));
    }, START_MAX_MS);
    child.stderr!.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (!said.includes('reading ')) return;
      clearTimeout(timer);
      resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the shim ended with ${code}: ${said}`)));
  });
  return child;
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
