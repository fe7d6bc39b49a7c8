// The benchmark's AWS as the measuring side sees it: built for each run, and afterwards says which calls it got and when.
//
// Invariant: every time is of the machine's monotonic clock, the same in both threads. stop() ends the thread.

import { Worker } from 'node:worker_threads';
import { marshall } from '@aws-sdk/util-dynamodb';
import { defined } from '../../shared/optional.ts';
import { newVip, type Vip } from '../../shared/vip/vip.ts';
import type { Certificate } from './certificate.ts';
import type { FakeVip } from './ec2.ts';
import type { Item } from './expression.ts';

export interface Latency {
  readonly ec2Ms: number;
  readonly dynamoMs: number;
}

export interface World {
  readonly latency: Latency;
  /** EC2's token buckets, full. */
  readonly buckets: boolean;
  readonly vips: readonly FakeVip[];
  readonly items: readonly Item[];
}

export type Order =
  | { readonly do: 'build'; readonly world: World }
  | { readonly do: 'take' }
  | { readonly do: 'cut' };

export interface SeenCall {
  readonly action: string;
  readonly key: string;
  readonly status: number;
  readonly startMs: number;
  readonly endMs: number;
}

export interface FakeRegion extends AsyncDisposable {
  readonly endpoint: string;
  build(world: World): Promise<void>;
  /** What was answered since the last build or take. */
  take(): Promise<readonly SeenCall[]>;
  /** Closes every connection from the server's side, as one that has been idle too long. */
  cut(): Promise<void>;
  stop(): Promise<void>;
}

const PATIENCE_MS = 10_000;

/** With a certificate it speaks TLS only. */
export async function startFakeRegion(certificate?: Certificate): Promise<FakeRegion> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: certificate });
  const heard = <T>() =>
    new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the fake region does not answer')), PATIENCE_MS);
      worker.once('message', (message: T) => {
        clearTimeout(timer);
        worker.off('error', reject);
        resolve(message);
      });
      worker.once('error', reject);
    });
  const { port } = await heard<{ port: number }>();
  const order = async (what: Order) => {
    const answer = heard<{ seen: readonly SeenCall[] }>();
    worker.postMessage(what);
    return (await answer).seen;
  };
  const stop = async () => {
    await worker.terminate();
  };
  return {
    endpoint: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    build: async (world) => void (await order({ do: 'build', world })),
    take: () => order({ do: 'take' }),
    cut: async () => void (await order({ do: 'cut' })),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

const mutations = ['ReplaceRoute', 'CreateRoute', 'AssociateAddress'];
export const isMutation = ({ action }: SeenCall): boolean => mutations.includes(action);

/** From `startMs` to the last mutation that EC2 accepted. An Error when not exactly `count` were: then nothing was measured. */
export function toLastAccepted(calls: readonly SeenCall[], startMs: number, count: number): number {
  const accepted = calls.filter((call) => isMutation(call) && call.status === 200);
  if (accepted.length !== count) {
    const others = calls.filter((c) => c.status !== 200).map((c) => `${c.action} ${c.status}`);
    throw new Error(
      `${accepted.length} mutations were accepted, expected ${count}; refused: ${[...new Set(others)].join(', ')}`,
    );
  }
  return Math.max(...accepted.map((call) => call.endMs)) - startMs;
}

export const DESTINATION = '192.168.255.10/32';
export const nodesOf = (vip: string): readonly string[] => [0, 1].map((n) => `i-${hash(vip)}${n}`);
const hash = (vip: string): string => Buffer.from(vip).toString('hex').padStart(15, '0').slice(-15);

/** A VIP with `tables` tables whose routes point to its first node, and what the registry has of it. */
export function vipWith(
  name: string,
  tables: number,
  priority?: 'first',
): { readonly vip: FakeVip; readonly item: Item; readonly entry: Vip } {
  const nodes = nodesOf(name).map((node, n) => ({
    node,
    eni: `eni-${name}-${n}`,
    address: `10.0.1.${10 + n}`,
  }));
  const vip: FakeVip = {
    label: name,
    tables: Array.from({ length: tables }, (_, n) => `rtb-${name}-${n}`),
    destinations: [DESTINATION],
    nodes,
    eips: [],
  };
  const members = Object.fromEntries(
    nodes.map(({ node, eni }) => [node, { node, eni, eipEni: eni, zone: 'eu-central-1a' }]),
  );
  const entry: Vip = {
    ...newVip({
      name,
      addresses: [DESTINATION],
      eips: [],
      vpc: 'vpc-bench',
      account: '111122223333',
      tableLabels: [name],
      nodeLabels: [name],
      hold: 'both',
    }),
    members,
    owner: nodes[0]!.node,
    tablesSeen: tables,
    ...defined({ priority }),
  };
  return { vip, entry, item: itemOf(entry) };
}

function itemOf(entry: Vip): Item {
  const { name, open: _open, heard: _heard, lease: _lease, ...rest } = entry;
  return marshall(
    { ...rest, vip: name, openEpoch: {}, openCause: {} },
    { removeUndefinedValues: true },
  ) as Item;
}
