// The only reader of the environment and of the clock: makes the ports on AWS that one invocation works with.
//
// Clients live as long as the execution environment, so that their connections are warm. Everything else is made per
// invocation and ends with it: no request outlives the answer (a frozen environment would send it in the next one).

import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client, type EC2ClientConfig } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { Fault } from '../fault.ts';
import type { Step } from '../network/step.ts';
import { defined } from '../optional.ts';
import type { Place } from '../place.ts';
import { localBucket, type Rates, rates } from '../rate-limit/local-bucket.ts';
import { type PrefetchMemory, prefetchMemory } from '../rate-limit/prefetch-memory.ts';
import type { BucketState, SharedBucket } from '../rate-limit/shared-bucket.ts';
import { type Clock, type DurationMs, durationMs, type EpochMs, epochMs, plus } from '../time.ts';
import type { NodeIdentity } from '../vip/admission.ts';
import { ATTEMPT_MAX } from '../vip/lease.ts';
import { type Connections, connections } from './connections.ts';
import { awsApprovals } from './dynamodb/approvals.ts';
import { awsChangeLog } from './dynamodb/change-log.ts';
import { awsOperatorActions } from './dynamodb/operator-actions.ts';
import { awsSharedBucket } from './dynamodb/shared-bucket.ts';
import { awsTimeline } from './dynamodb/timeline.ts';
import { awsVips } from './dynamodb/vip-store.ts';
import { awsEc2 } from './ec2/ec2.ts';
import { awsPublisher } from './events/publisher.ts';
import type { InvocationPorts } from './invocation.ts';
import { prepareMutations } from './mutation.ts';
import { retrySoon } from './retry.ts';
import { Sha256 } from './sha256.ts';
import { tagKey } from './tag-key.ts';
import { awsViews } from './view-cache.ts';

export interface Settings {
  readonly stage: string;
  /** For commands that are printed; undefined where the caller's own default holds. */
  readonly region?: string;
  readonly vipsTable: string;
  readonly timelineTable: string;
  readonly bus: string;
  readonly identity: NodeIdentity;
  readonly retentionDays: number;
  /** Off for fleets so large that four metrics for each VIP cost more than they are worth. On by default. */
  readonly metricsByVip?: boolean;
  /** EC2's request buckets, where the account was granted other sizes. By default EC2's own. */
  readonly rates?: Rates;
}

export const placeOf = ({ stage, region }: Settings): Place => ({ stage, region });

type Env = Readonly<Record<string, string | undefined>>;

/** Throws an Error that names every variable that is missing or wrong. */
export function settingsFrom(env: Env): Settings {
  const problems: string[] = [];
  const want = (name: string): string => {
    const found = env[name] ?? '';
    if (found === '') problems.push(`${name} is not set`);
    return found;
  };
  const settings = {
    stage: want('VIPSHIFT_STAGE'),
    ...defined({ region: env.AWS_REGION }),
    vipsTable: want('VIPSHIFT_VIPS_TABLE'),
    timelineTable: want('VIPSHIFT_TIMELINE_TABLE'),
    bus: want('VIPSHIFT_BUS'),
    identity: identityFrom(env, problems),
    retentionDays: Number(env.VIPSHIFT_RETENTION_DAYS ?? '400'),
    metricsByVip: env.VIPSHIFT_METRICS_BY_VIP !== 'false',
    rates: ratesFrom(env.VIPSHIFT_EC2_RATES ?? '', problems),
  };
  if (!(settings.retentionDays >= 1)) {
    problems.push(
      `VIPSHIFT_RETENTION_DAYS is ${JSON.stringify(env.VIPSHIFT_RETENTION_DAYS)}, expected a number of days`,
    );
  }
  if (problems.length > 0)
    throw new Error(`${problems.join('; ')}. serverless.yml sets them: deploy it again.`);
  return settings;
}

function identityFrom(env: Env, problems: string[]): NodeIdentity {
  const mode = env.VIPSHIFT_NODE_IDENTITY ?? '';
  if (mode === 'none') return { mode };
  const roleId = env.VIPSHIFT_NODE_ROLE_ID ?? '';
  if (mode !== 'source')
    problems.push(`VIPSHIFT_NODE_IDENTITY is ${JSON.stringify(mode)}, expected "source" or "none"`);
  else if (roleId === '')
    problems.push('VIPSHIFT_NODE_ROLE_ID is not set, expected the unique id of the nodes’ role');
  return { mode: 'source', roleId };
}

/** `ReplaceRoute=100/10,AssociateAddress=50/5`: burst and refill a second; what is not named keeps EC2's default. */
export function ratesFrom(text: string, problems: string[]): Rates {
  const given: Record<string, Rates[keyof Rates]> = {};
  for (const part of text.split(',').filter((p) => p.trim() !== '')) {
    const [, call = '', burst, perSecond] = /^\s*(\w+)=(\d+)\/(\d+(?:\.\d+)?)\s*$/.exec(part) ?? [];
    const rate = { burst: Number(burst), perSecond: Number(perSecond) };
    if (Object.hasOwn(rates, call) && rate.burst >= 1 && rate.perSecond > 0) given[call] = rate;
    else {
      const want = `${Object.keys(rates).join(', ')} as NAME=BURST/PER_SECOND`;
      problems.push(`VIPSHIFT_EC2_RATES has ${JSON.stringify(part)}, expected ${want}`);
    }
  }
  return { ...rates, ...given };
}

export interface Clients {
  readonly dynamo: DynamoDBClient;
  /** Repeats Describes by itself. */
  readonly reader: EC2Client;
  /** Repeats nothing: every attempt of a mutation asks for the lease. */
  readonly writer: EC2Client;
  readonly events: EventBridgeClient;
  /** Those of reader and writer. */
  readonly toEc2: Connections;
}

/**
 * Enough for a burst of four times EC2's default, and reads at the same time; a call without a socket waits a whole round trip.
 * Lambda allows a function 1,024 file descriptors.
 */
const SOCKETS_MAX = 256;
const CONNECT_MAX_MS = 500;

/** One set for the life of the process. `overrides` (region, credentials, endpoint) are for callers outside Lambda. */
export function clients(
  overrides: Pick<EC2ClientConfig, 'region' | 'credentials' | 'endpoint' | 'profile'> = {},
): Clients {
  const agent = { keepAlive: true, maxSockets: SOCKETS_MAX };
  const requestHandler = {
    connectionTimeout: CONNECT_MAX_MS,
    requestTimeout: ATTEMPT_MAX,
    // Without it a slow request is only logged.
    throwOnRequestTimeout: true,
    httpAgent: agent,
    httpsAgent: agent,
  };
  const toEc2 = connections(SOCKETS_MAX);
  const common = { ...overrides, requestHandler, logger: quiet, sha256: Sha256 };
  // Never the SDK's own strategies: they are not in the functions' bundles (build/sdk-unreached.ts).
  const attempts = (most: number) => ({ maxAttempts: most, retryStrategy: retrySoon(most, Math.random) });
  const again = attempts(ATTEMPTS_MAX);
  const toEc2Handler = { ...requestHandler, httpsAgent: toEc2.agent };
  const ofEc2 = { ...common, requestHandler: toEc2Handler };
  // Its attempts are aborted after ATTEMPT_MAX, so no socket of theirs is silent for the 15 minutes that each would be watched for.
  const once = { ...ofEc2, ...attempts(1), requestHandler: { ...toEc2Handler, socketTimeout: 0 } };
  // Not made before they are wanted: a new environment has time for them while it waits for the describes.
  const writer = lazily(() => new EC2Client(once));
  const events = lazily(() => new EventBridgeClient({ ...common, ...again }));
  return {
    dynamo: new DynamoDBClient({ ...common, ...again }),
    reader: new EC2Client({ ...ofEc2, ...again }),
    get writer() {
      return writer();
    },
    get events() {
      return events();
    },
    toEc2,
  };
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const ATTEMPTS_MAX = 4;
const ignore = () => undefined;
/** Without `info`: the SDK would copy every request and reply for it, whole route tables included, and then drop them. */
const quiet = { debug: ignore, warn: ignore, error: ignore } as unknown as NonNullable<
  EC2ClientConfig['logger']
>;

/** What outlives an invocation. Beside clients and settings these are only hints: names that were met or refused, and our view of EC2's budget. */
export interface ExecutionEnvironment {
  readonly clients: Clients;
  readonly settings: Settings;
  readonly localBucket: ReturnType<typeof localBucket>;
  readonly prefetchMemory: PrefetchMemory;
  /** The account's buckets as this environment saw them last. */
  readonly buckets: Map<Step['call'], BucketState>;
}

export const executionEnvironment = (settings: Settings, made: Clients): ExecutionEnvironment => ({
  settings,
  clients: made,
  localBucket: localBucket(settings.rates),
  prefetchMemory: prefetchMemory(),
  buckets: new Map(),
});

/** The execution environment of a Lambda function, from its environment variables. */
export const lambdaEnvironment = (): ExecutionEnvironment =>
  executionEnvironment(settingsFrom(process.env), clients());

/** Nothing is started in the last moments of an invocation; they are for unwinding and answering. */
const UNWIND: DurationMs = durationMs(1500);

/** `remaining`: what the invocation has left. `signal`: aborts what is under way when that has passed. */
export function portsFor(
  environment: ExecutionEnvironment,
  remaining: DurationMs,
  signal: AbortSignal,
): InvocationPorts {
  const { settings, clients: made } = environment;
  const deadline = plus(systemNow(), durationMs(remaining - UNWIND));
  const clock = systemClock(deadline, signal);
  const { timelineTable: table, retentionDays } = settings;
  const timeline = { client: made.dynamo, table, signal, retentionDays };
  const vips = awsVips({ client: made.dynamo, table: settings.vipsTable, signal, nonce: randomUUID });
  return {
    clock,
    deadline,
    localBucket: environment.localBucket,
    sharedBucket: ready(
      made,
      awsSharedBucket({
        client: made.dynamo,
        table: settings.vipsTable,
        sizes: settings.rates ?? rates,
        seen: environment.buckets,
        signal,
      }),
    ),
    prefetchMemory: environment.prefetchMemory,
    random: Math.random,
    nonce: randomUUID,
    vips,
    views: awsViews({ timeline, vipsTable: settings.vipsTable }),
    timeline: awsTimeline(timeline),
    changes: awsChangeLog(timeline),
    orders: awsOperatorActions(timeline),
    approvals: awsApprovals(timeline),
    sizes: settings.rates ?? rates,
    ...defined({ region: settings.region }),
    ec2: awsEc2({
      reader: made.reader,
      get writer() {
        return made.writer;
      },
      tag: tagKey(settings.stage),
      clock,
      signal,
    }),
    bus: awsPublisher({
      get client() {
        return made.events;
      },
      bus: settings.bus,
      place: placeOf(settings),
      signal,
    }),
  };
}

/** Who reserves calls is about to send them: alongside, what they need is made, while the describes are under way. */
const ready = (made: Clients, bucket: SharedBucket): SharedBucket => ({
  ...bucket,
  reserve(...reservation) {
    const [, calls] = reservation;
    made.toEc2.open(calls);
    prepareMutations(made.writer);
    return bucket.reserve(...reservation);
  },
});

export const systemNow = (): EpochMs => epochMs(Date.now());

export function systemClock(deadline: EpochMs, signal: AbortSignal): Clock {
  return {
    now: systemNow,
    wait(duration) {
      const ends = plus(systemNow(), duration);
      if (ends > deadline || signal.aborted) return Promise.reject(outOfTime(duration));
      return new Promise((resolve, reject) => {
        const abort = () => {
          clearTimeout(timer);
          reject(outOfTime(duration));
        };
        const timer = setTimeout(() => {
          signal.removeEventListener('abort', abort);
          resolve();
        }, duration);
        signal.addEventListener('abort', abort, { once: true });
      });
    },
  };
}

const outOfTime = (duration: DurationMs): Fault =>
  new Fault('deadline', 'Deadline', `the invocation has no time left to wait ${Math.round(duration)} ms`);
