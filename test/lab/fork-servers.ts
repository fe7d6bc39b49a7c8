// Loads the emulators' code once for a run; the suites' local AWS are forked from there.
import { FORK_SERVERS, type ForkServers } from '../../lab/aws/fork-servers.ts';
import { startEmulatorsFaster } from '../../lab/aws/local-aws.ts';

let servers: ForkServers | undefined;

export async function setup(): Promise<void> {
  // One set for all projects of the run.
  if (process.env[FORK_SERVERS] !== undefined) return;
  servers = await startEmulatorsFaster().catch(() => undefined);
  if (servers !== undefined) process.env[FORK_SERVERS] = servers.folder;
}

export async function teardown(): Promise<void> {
  await servers?.stop();
}
