// Before any suite's clock runs: makes the Python environments of the tests, and loads the emulators' code, once for all suites. Where an
// environment cannot be made, the suites that need it fail and say what is missing; the others run.
import { FORK_SERVERS, type ForkServers } from '../../lab/aws/fork-servers.ts';
import { startEmulatorsFaster } from '../../lab/aws/local-aws.ts';
import { ensurePython } from '../../lab/aws/python.ts';
import { requirementsOf } from '../../lab/machine/needs.ts';

let servers: ForkServers | undefined;

export async function setup(): Promise<void> {
  const made = requirementsOf('test').map((requirements) => ensurePython({ requirements }));
  for (const { reason } of (await Promise.allSettled(made)).filter((one) => one.status === 'rejected'))
    console.error(String(reason));
  // One set for all projects of the run.
  if (process.env[FORK_SERVERS] !== undefined) return;
  try {
    servers = await startEmulatorsFaster();
    process.env[FORK_SERVERS] = servers.folder;
  } catch (error) {
    console.error(String(error));
  }
}

export async function teardown(): Promise<void> {
  await servers?.stop();
}
