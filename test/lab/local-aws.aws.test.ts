import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, it, vi } from 'vitest';
import { FORK_SERVERS } from '../../lab/aws/fork-servers.ts';
import { childEnv, type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { livingMembers } from '../../lab/aws/process-group.ts';
import { ensurePython } from '../../lab/aws/python.ts';
import { listeningAddresses } from './processes.ts';

const program = join(import.meta.dirname, 'fixtures', 'programs', 'start-and-end.ts');
const soon = { timeout: 60_000, interval: 20 };

function access(aws: LocalAws, endpoint: string) {
  const credentials = { accessKeyId: aws.accountId, secretAccessKey: 'local' };
  return { endpoint, region: aws.region, credentials };
}

describe('the local AWS', () => {
  it('answers for EC2 and for the rest in the same account, on loopback only', async () => {
    await using aws = await startLocalAws();
    const ec2 = new EC2Client(access(aws, aws.ec2Endpoint));
    const dynamo = new DynamoDBClient(access(aws, aws.endpoint));
    const { Vpcs } = await ec2.send(new DescribeVpcsCommand({}));
    expect(Vpcs?.map(({ OwnerId }) => OwnerId)).toEqual([aws.accountId]);
    expect((await dynamo.send(new ListTablesCommand({}))).TableNames).toEqual([]);
    for (const group of aws.processGroups) {
      const addresses = listeningAddresses(group);
      expect(addresses, 'each emulator has one port').toHaveLength(1);
      expect(addresses[0], 'and it is on 127.0.0.1').toMatch(/^0100007F:/);
    }
  });

  it('leaves no process and no folder behind', async () => {
    const logDir = mkdtempSync(join(tmpdir(), 'vipshift-test-'));
    const aws = await startLocalAws({ logDir });
    await aws.stop();
    await aws.stop();
    expect(aws.processGroups.flatMap(livingMembers)).toEqual([]);
    expect(existsSync(aws.folder), 'its folder').toBe(false);
    expect(existsSync(aws.logFile), 'the log that was asked for stays').toBe(true);
    expect(dirname(aws.logFile)).toBe(logDir);
    rmSync(logDir, { recursive: true });
  });

  it('runs several times side by side: the kernel hands out the ports', async () => {
    const all = await Promise.all([startLocalAws(), startLocalAws(), startLocalAws()]);
    expect(new Set(all.flatMap((aws) => [aws.endpoint, aws.ec2Endpoint])).size).toBe(6);
    await Promise.all(all.map((aws) => aws.stop()));
  });

  it("keeps the user's own AWS settings from child processes", async () => {
    vi.stubEnv('AWS_PROFILE', 'production');
    vi.stubEnv('AWS_SESSION_TOKEN', 'secret');
    const env = childEnv({ env: { AWS_REGION: 'eu-central-1' } });
    vi.unstubAllEnvs();
    expect(Object.entries(env).filter(([name]) => name.startsWith('AWS_'))).toEqual([
      ['AWS_REGION', 'eu-central-1'],
    ]);
  });
});

describe('the end of the process that started it', () => {
  const ends: [string, (child: ChildProcess) => void][] = [
    ['exit without stop', (child) => child.stdin!.write('exit')],
    ['an uncaught exception', (child) => child.stdin!.write('throw')],
    ['nothing left to do: the emulators do not keep it alive', (child) => child.stdin!.write('return')],
    ['SIGINT', (child) => child.kill('SIGINT')],
    ['SIGTERM', (child) => child.kill('SIGTERM')],
    ['SIGKILL, which no handler sees', (child) => child.kill('SIGKILL')],
  ];
  const forked = ends.map(([name, end]) => [name, end, process.env] as const);
  // What load their code themselves hang on a pipe instead of a socket; the kernel closes it alike.
  const loading = [ends[2]!, ends[5]!].map(
    ([name, end]) =>
      [`${name}, without a fork server`, end, { ...process.env, [FORK_SERVERS]: undefined }] as const,
  );
  it.each([...forked, ...loading])('is the end of the emulators: %s', async (_name, end, env) => {
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'ignore'], env });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { processGroups, folder } = JSON.parse(String(line)) as { processGroups: number[]; folder: string };
    expect(processGroups.flatMap(livingMembers)).toEqual(processGroups);
    end(child);
    await once(child, 'exit');
    await vi.waitFor(() => expect(processGroups.flatMap(livingMembers)).toEqual([]), soon);
    expect(existsSync(folder), 'its folder').toBe(false);
  });
});

describe('the log of an invocation', () => {
  it('has also what is read late, on a busy machine: the mark behind it ends it, and no pause does', async () => {
    const folder = join(import.meta.dirname, '..', '..', 'lab', 'aws', 'emulator');
    const script = `
import importlib, queue, sys, threading, time
sys.dont_write_bytecode = True
sys.path.append(${JSON.stringify(folder)})
from ministack.core.lambda_runtime import Worker
fixes = importlib.import_module("function-fixes")
fixes.apply()
worker = Worker.__new__(Worker)
worker._stderr_queue = queue.Queue()
def late():
    time.sleep(0.3)
    for line in ("late", getattr(fixes, "END_OF_LOG", "end"), "of the next one"):
        worker._stderr_queue.put(line)
worker._stderr_thread = threading.Thread(target=late)
worker._stderr_thread.start()
print(worker._drain_stderr_bounded())
`;
    const { stdout } = await promisify(execFile)(await ensurePython(), ['-c', script]);
    expect(stdout).toBe('late\n');
  });
});
