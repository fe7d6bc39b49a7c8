/**
 * Fork servers (lab/aws/emulator/fork-server.py): each has loaded one emulator's code, and forks an emulator of it for everybody
 * who asks. A run of tests has one of each; without them an emulator loads its code itself.
 *
 * Invariant: they end with this process, whatever ends it, as emulators do; the emulators that they have forked do not depend
 * on them, but on the process that asked for each.
 * Limit: a fork is in the namespaces of its server; who is in others (the lab's nodes) starts emulators without one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The variable with the folder of their sockets, for all processes of a run. */
export const FORK_SERVERS = 'VIPSHIFT_LAB_FORK_SERVERS';

const services = ['ministack', 'moto'] as const;
type Service = (typeof services)[number];

export interface ForkServers {
  readonly folder: string;
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** They load their code beside what this process does next; who asks before they have is answered when they have. */
export async function startForkServers(python: string, env: NodeJS.ProcessEnv): Promise<ForkServers> {
  const folder = mkdtempSync(join(tmpdir(), 'vipshift-forks-'));
  writeFileSync(join(folder, 'namespaces'), ownNamespaces());
  const servers = services.map((service) => start(python, service, { ...env, TMPDIR: folder, HOME: folder }));
  const stop = async () => {
    await Promise.all(servers.map(end));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(servers.map(listening));
  } catch (error) {
    await stop();
    throw error;
  }
  return { folder, pids: servers.map(({ pid }) => pid!), stop };
}

/** The socket of this run's server, if there is one that this process can use. */
export function forkServerOf(service: Service): string | undefined {
  const folder = process.env[FORK_SERVERS];
  if (folder === undefined) return undefined;
  const namespaces = join(folder, 'namespaces');
  if (!existsSync(namespaces) || readFileSync(namespaces, 'utf8') !== ownNamespaces()) return undefined;
  return socketOf(folder, service);
}

const socketOf = (folder: string, service: Service): string => join(folder, `${service}.socket`);

function start(python: string, service: Service, env: NodeJS.ProcessEnv): ChildProcess {
  const script = join(import.meta.dirname, 'emulator', 'fork-server.py');
  const args = [script, service, socketOf(env.TMPDIR!, service)];
  const server = spawn(python, args, { detached: true, env, stdio: ['pipe', 'pipe', 'inherit'] });
  server.stdin.on('error', () => {});
  return server;
}

async function listening(server: ChildProcess): Promise<void> {
  const ended = once(server, 'exit').then(([status, signal]) => {
    throw new Error(`the fork server ended with status ${status ?? signal}`);
  });
  await Promise.race([once(server.stdout!, 'data'), ended]);
  ended.catch(() => {});
  // They must not keep a finished program from ending; its end is theirs.
  server.unref();
  for (const pipe of [server.stdin, server.stdout]) (pipe as unknown as { unref(): void }).unref();
}

async function end(server: ChildProcess): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'exit');
  server.ref();
  server.stdin!.end();
  await gone;
}

const ownNamespaces = (): string =>
  ['mnt', 'net', 'pid', 'user'].map((kind) => readlinkSync(`/proc/self/ns/${kind}`)).join(' ');
