/**
 * Kinds: the ways in which a claim gets through or does not, each as a scenario: by the bus alone and by both ways, with a bus that takes
 * its time, that is down, or with a function that dies on the way.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { LEASE_TTL } from '../../shared/vip/lease.ts';
import type { Cloud } from '../netns/cloud/cloud.ts';
import { acceptedClaims } from '../netns/node/claims.ts';
import type { Ending, Scenario } from '../netns/scenario/scenario.ts';
import type { ScenarioContext } from '../netns/scenario/scenario-context.ts';
import { busDelayMs } from './bus-delay.ts';
import { type FirstCarrier, followFirstCarrier } from './first-carrier.ts';

interface Kind {
  readonly says: string;
  readonly ways: 'bus' | 'both';
  readonly longestOutageMs: number;
  /** The bus refuses from the fault on. */
  readonly busDownMs?: number;
  /** Of the function. */
  readonly concurrency?: number;
  /** The function that carries the first copy dies at one await after the other. */
  readonly kills?: true;
}

const DOWN_MS = 30_000;
/** From the death of a host to the claim of the other one, with adverts every 0.1 s, and the answer of its server. */
const DETECTED_MS = 1_500;
/** What an emulator may take on a busy machine, or the bus at its slowest. */
const SLACK_MS = 1_500;

export const kinds = {
  bus: { says: 'the host dies, by the bus alone', ways: 'bus', longestOutageMs: DETECTED_MS + SLACK_MS },
  both: { says: 'the host dies, by both ways', ways: 'both', longestOutageMs: DETECTED_MS + SLACK_MS },
  ten: {
    says: 'by both ways, where ten of the function may run at once',
    ways: 'both',
    concurrency: 10,
    longestOutageMs: DETECTED_MS + SLACK_MS,
  },
  'bus-down': {
    says: 'the host dies as the bus goes down for 30 s, by the bus alone',
    ways: 'bus',
    busDownMs: DOWN_MS,
    longestOutageMs: DOWN_MS + 8_000,
  },
  'both-down': {
    says: 'the same by both ways',
    ways: 'both',
    busDownMs: DOWN_MS,
    longestOutageMs: DETECTED_MS + SLACK_MS,
  },
  carrier: {
    says: 'the function that carries the first copy is killed at each of its requests, by both ways',
    ways: 'both',
    kills: true,
    longestOutageMs: DETECTED_MS + LEASE_TTL + 1_000 + SLACK_MS,
  },
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof kinds;

export interface Run {
  /** From 0 on. */
  readonly nth: number;
  readonly seed: number;
}

const END = { owner: 'b', splitBrain: 'never', settlesWithinMs: 45_000 } as const satisfies Partial<Ending>;

export interface Played {
  readonly scenario: Scenario;
  /** Of `carrier`: what was killed, and how many requests it would have made; known when it has run. */
  readonly carrier: () => FirstCarrier | undefined;
}

export function played(name: KindName, cloud: Cloud, { nth, seed }: Run): Played {
  const kind: Kind = kinds[name];
  let carrier: FirstCarrier | undefined;
  const scenario: Scenario = {
    name,
    says: kind.says,
    hold: 'both',
    asks: 'vip',
    shim: kind.ways === 'both' ? [`direct = ${cloud.direct!.url}`] : [],
    ends: {
      ...END,
      longestOutageMs: kind.longestOutageMs,
      outcomes: ['switched', 'unchanged', 'superseded', ...(kind.kills ? ['abandoned'] : [])],
    },
    async run(context) {
      const { epoch } = await cloud.vip();
      slowBus(context, seed, nth);
      if (kind.concurrency !== undefined) await cloud.limitFailover(kind.concurrency);
      // Before the fault: from here on the first claim of a master is the one that moves the VIP.
      if (kind.kills) carrier = followFirstCarrier(context, nth);
      const open = cloud.bus.gate;
      if (kind.busDownMs !== undefined) cloud.bus.gate = () => REFUSED;
      const taken = context.nodes.b.entered('MASTER');
      await context.hostDies('a');
      await taken;
      if (kind.busDownMs !== undefined) {
        await context.pause(kind.busDownMs);
        cloud.bus.gate = open;
      }
      await context.calm('b', END.settlesWithinMs);
      await isWhole(context, epoch);
    },
  };
  return { scenario, carrier: () => carrier };
}

const REFUSED = {
  status: 500,
  body: '{"__type":"InternalException","message":"the lab has shut the bus down"}',
} as const;

function slowBus({ cloud }: ScenarioContext, seed: number, nth: number): void {
  let requests = nth * 1_000;
  cloud.bus.gate = () => delay(busDelayMs(seed, requests++), 'pass' as const);
}

/** The bus has every transition that the URL has taken, and the record every epoch. */
async function isWhole(context: ScenarioContext, before: number): Promise<void> {
  const { cloud } = context;
  const direct = (cloud.direct?.tap.exchanges ?? []).filter(({ status }) => status === 200);
  const called = direct.map(({ body }) => JSON.parse(body) as { kind: string; node: string; seq: number });
  const transitions = called.filter(({ kind }) => kind === 'transition');
  const missing = () => {
    const known = new Set(acceptedClaims(cloud.bus.exchanges).map(({ node, seq }) => `${node} ${seq}`));
    return transitions.filter(({ node, seq }) => !known.has(`${node} ${seq}`));
  };
  await context.until('the bus to have what the function URL took', () => missing().length === 0, 15_000);
  const { epoch } = await cloud.vip();
  const recorded = await cloud.failovers(before + 1, epoch);
  if (recorded.length !== epoch - before)
    throw new Error(`the record has ${recorded.length} outcomes of epochs ${before + 1} to ${epoch}`);
}
