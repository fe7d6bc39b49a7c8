/**
 * A local AWS on loopback: MiniStack for everything but EC2, moto for EC2, without Docker, root or an account. What a stack of
 * MiniStack makes in EC2 it makes in moto (lab/aws/emulator/stacks-in-moto.py).
 *
 * Invariant: its state is in memory and in one temporary folder; stop(), or the end of this process however it comes, leaves no
 * process and no folder behind. Every start gets free ports of its own, so any number run side by side.
 * Limit: it is as faithful as the two emulators are; docs and tests name what they do not do (no IAM, no throttling, no
 * blackhole routes). lab/fault/proxy.ts adds the faults.
 */

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { defined } from '../../shared/optional.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import type { EmulatorSpec } from './emulator-process.ts';
import { type ForkServers, startForkServers } from './fork-servers.ts';
import { ensurePython } from './python.ts';

const root = join(import.meta.dirname, '..', '..');
const region = 'eu-central-1';
const accountId = '111122223333';
// moto finds the service in the credential's scope, and reads nothing else in it.
const asEc2 = `AWS4-HMAC-SHA256 Credential=${accountId}/20260101/${region}/ec2/aws4_request`;

export interface LocalAwsOptions {
  /** The EC2 endpoint that the deployed functions get, so that a proxy can stand before moto; moto itself by default. */
  readonly ec2EndpointForFunctions?: string;
  /** The EC2 endpoint that stacks get, for the same reason; moto itself by default. */
  readonly ec2EndpointForStacks?: string;
  /** The folder for the emulators' logs; kept after stop(). By default they go with the temporary folder. */
  readonly logDir?: string;
  /** What emulates the nodes' SSM agents: SendCommand goes there. Without it no instance has one. */
  readonly ssmAgents?: string;
}

export interface LocalAws extends AsyncDisposable {
  readonly endpoint: string;
  readonly ec2Endpoint: string;
  readonly ec2EndpointForFunctions: string;
  readonly region: string;
  readonly accountId: string;
  /** AWS_* for SDK clients and child processes; see childEnv for a whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** MiniStack's log, with what the functions wrote; moto's is moto.log in the same folder. */
  readonly logFile: string;
  /** Where everything temporary is; gone after stop(). */
  readonly folder: string;
  /** The emulators' process groups; everything they start is in them. */
  readonly processGroups: readonly number[];
  stop(): Promise<void>;
}

export async function startLocalAws(options: LocalAwsOptions = {}): Promise<LocalAws> {
  const python = await ensurePython();
  const scratch = mkdtempSync(join(tmpdir(), 'vipshift-aws-'));
  if (options.logDir !== undefined) mkdirSync(options.logDir, { recursive: true });
  const ec2File = join(scratch, 'ec2-endpoint');
  const start = (service: 'ministack' | 'moto', ready: EmulatorSpec['ready']) => {
    const own = join(scratch, service);
    const logFile = join(options.logDir ?? own, `${service}.log`);
    return startEmulator({
      service,
      python,
      env: emulatorEnv(options, ec2File),
      scratch: own,
      logFile,
      ready,
    });
  };
  const started = await Promise.allSettled([
    start('ministack', { path: '/_ministack/health' }),
    start('moto', { path: '/?Action=DescribeVpcs&Version=2016-11-15', headers: { authorization: asEc2 } }),
  ]);
  const stop = once(async () => {
    const running = started.filter((start) => start.status === 'fulfilled');
    await Promise.all(running.map((start) => start.value.stop()));
    await rm(scratch, { recursive: true, force: true });
  });
  const failed = started.find((start) => start.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  const [ministack, moto] = started.map((start) => (start as PromiseFulfilledResult<Emulator>).value);
  const endpoint = ministack!.endpoint;
  const ec2Endpoint = moto!.endpoint;
  writeFileSync(ec2File, options.ec2EndpointForStacks ?? ec2Endpoint);
  return {
    endpoint,
    ec2Endpoint,
    ec2EndpointForFunctions: options.ec2EndpointForFunctions ?? ec2Endpoint,
    region,
    accountId,
    env: clientEnv(endpoint, ec2Endpoint),
    logFile: ministack!.logFile,
    folder: scratch,
    processGroups: [ministack!.pid, moto!.pid],
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** For a run that starts many of them; see fork-servers.ts. */
export async function startEmulatorsFaster(): Promise<ForkServers> {
  return startForkServers(await ensurePython(), emulatorEnv({}, ''));
}

/** The environment for a child process that talks to this local AWS: nothing of the user's own AWS settings gets through. */
export function childEnv(aws: Pick<LocalAws, 'env'>): NodeJS.ProcessEnv {
  return { ...withoutAws(process.env), ...aws.env };
}

function clientEnv(endpoint: string, ec2Endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_EC2: ec2Endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    // MiniStack takes a key id of twelve digits as the account.
    AWS_ACCESS_KEY_ID: accountId,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_PAGER: '',
  };
}

function emulatorEnv({ ssmAgents }: LocalAwsOptions, ec2File: string): NodeJS.ProcessEnv {
  return {
    ...withoutAws(process.env),
    // MiniStack runs the functions with the first node it finds: ours, of the version that Lambda has.
    PATH: [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter),
    PYTHONUNBUFFERED: '1',
    PYTHONSAFEPATH: '1',
    MINISTACK_HOST: '127.0.0.1',
    MINISTACK_REGION: region,
    MINISTACK_ACCOUNT_ID: accountId,
    PERSIST_STATE: '0',
    S3_PERSIST: '0',
    // Listeners on all interfaces that are not needed here, and the clean-up of containers that are not ours.
    SFTP_ENABLED: '0',
    IOT_MTLS_ENABLED: '0',
    DOCKER_HOST: 'unix:///nonexistent/docker.sock',
    LAMBDA_STATE_TRANSITION_SECONDS: '0',
    VIPSHIFT_LAB_EC2: ec2File,
    MOTO_ACCOUNT_ID: accountId,
    MOTO_EC2_LOAD_DEFAULT_AMIS: 'false',
    ...defined({ VIPSHIFT_LAB_SSM: ssmAgents }),
  };
}

function withoutAws(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign =
    /^(AWS_|MINISTACK_|MOTO_|LAMBDA_|LOCALSTACK_|NODE_OPTIONS$|NODE_PATH$|PYTHON|VIRTUAL_ENV$|VITEST)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name)));
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
