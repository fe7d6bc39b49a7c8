// A storm in figures: one node flaps on ten VIPs of 20 tables, and next to it an eleventh VIP of 20 tables fails over honestly. The
// same histories with the protections taken out give the figures of before.
import type { Act, History, VipSpec } from '../history/history.ts';
import { serviceEni } from '../truth/truth.ts';
import type { simulate as Simulate } from '../world/simulate.ts';
import type { World } from '../world/world.ts';

export interface Storm {
  readonly hold: 'both' | 'master';
  /** Between two transitions of the node that flaps. */
  readonly everyMs: number;
  readonly forMs: number;
  /** Whether the other node of those VIPs flaps, too, in turn with the first: then no calm node is left. */
  readonly inTurn?: true;
  /** When the honest VIP's master gives up, counted from the storm's beginning. */
  readonly honestAtMs?: number;
}

const FLAPPING_VIPS = 10;
const TABLES = 20;
const BEGINS_AT_MS = 120_000;
const HONEST = FLAPPING_VIPS;

const vipOf = (n: number, hold: Storm['hold']): VipSpec => ({
  name: n === HONEST ? 'honest' : `vip-${n}`,
  addresses: [`192.168.255.${10 + n}/32`],
  eips: [],
  tableLabel: n === HONEST ? 'honest' : `vip-${n}`,
  nodeLabel: 'pool',
  tables: TABLES,
  hold,
});

/** Of the flapping VIPs `i-b` is the steady master, of the honest one `i-c`, then `i-b`; `i-a` flaps. */
function historyOf({ hold, everyMs, forMs, inTurn, honestAtMs }: Storm): History {
  const vips = Array.from({ length: FLAPPING_VIPS + 1 }, (_, n) => vipOf(n, hold));
  const node = (id: string, ofStorm: number, ofHonest: number) => ({
    id: `i-${id}`,
    zone: `zone-${id}`,
    priorities: vips.map((_, n) => (n === HONEST ? ofHonest : ofStorm)),
    clockMs: 0,
    hasEipEni: true,
  });
  const flaps = (flapping: number, atMs: number): Act => ({
    does: 'flaps',
    node: flapping,
    vips: vips.map((_, n) => n).filter((n) => n !== HONEST),
    everyMs,
    times: Math.floor(forMs / everyMs),
    between: 'BACKUP',
    isHeard: false,
    atMs,
  });
  const acts: Act[] = [flaps(0, BEGINS_AT_MS)];
  if (inTurn) acts.push(flaps(1, BEGINS_AT_MS + Math.round(everyMs / 2)));
  if (honestAtMs !== undefined)
    acts.push({ does: 'is deleted', node: 2, vip: HONEST, atMs: BEGINS_AT_MS + honestAtMs });
  return {
    seed: 1,
    nodes: [node('a', 210, 190), node('b', 250, 210), node('c', 230, 250)],
    vips,
    odds: {},
    preempt: true,
    sharedBudget: true,
    acts,
    quietAtMs: BEGINS_AT_MS + forMs + 30_000,
    timeoutMs: 300_000,
    phaseMs: 0,
  };
}

export interface StormFigures {
  readonly notices: number;
  readonly epochs: number;
  readonly mutations: number;
  readonly describes: number;
  /** Invocations that took a second or more, at once at the most. */
  readonly waiting: number;
}

/** Three requests: tables, ENIs, EIPs. */
const DESCRIBES_OF_A_LOOK = 3;
const WAITS_FROM_MS = 1000;

/** What a storm costs from its first transition to its last. */
export async function stormFigures(storm: Storm, simulate: typeof Simulate): Promise<StormFigures> {
  const fromMs = BEGINS_AT_MS;
  const toMs = fromMs + storm.forMs;
  let looks = 0;
  const world = await simulate(historyOf(storm), undefined, (made) => {
    const observe = made.region.observe.bind(made.region);
    Object.assign(made.region, {
      observe: (...args: Parameters<typeof observe>) => {
        const now = made.sched.now();
        if (now >= fromMs && now < toMs) looks += 1;
        return observe(...args);
      },
    });
  });
  const isWithin = ({ atMs }: { readonly atMs: number }): boolean => atMs >= fromMs && atMs < toMs;
  const epochs = world.log.writes.filter((w) => isWithin(w) && w.after.epoch > (w.before?.epoch ?? 0));
  return {
    notices: world.net.notices.filter(isWithin).length,
    epochs: epochs.length,
    mutations: world.log.sends.filter(isWithin).length,
    describes: looks * DESCRIBES_OF_A_LOOK,
    waiting: mostAtOnce(world, fromMs, toMs),
  };
}

function mostAtOnce(world: World, fromMs: number, toMs: number): number {
  const waits = world.log.answers.filter(
    ({ deliveredAtMs, atMs }) =>
      atMs - deliveredAtMs >= WAITS_FROM_MS && deliveredAtMs < toMs && atMs >= fromMs,
  );
  const at = (ms: number) => waits.filter((w) => w.deliveredAtMs <= ms && w.atMs > ms).length;
  return Math.max(0, ...waits.map(({ deliveredAtMs }) => at(deliveredAtMs)));
}

export interface HonestFailover {
  /** From the storm's beginning to the next master's transition. */
  readonly atMs: number;
  /** What EC2's bucket still has for it then: below 0 where more calls are promised than it has tokens. */
  readonly tokensLeft: number;
  /** From that transition until all 20 routes lead to the new master. */
  readonly tookMs: number;
}

/** An honest failover in the middle of the storm. */
export async function honestFailover(storm: Storm, simulate: typeof Simulate): Promise<HonestFailover> {
  let became: { atMs: number; tokensLeft: number } | undefined;
  const world = await simulate(historyOf(storm), undefined, (made) => {
    const { road } = made;
    const said = road.said.bind(road);
    Object.assign(road, {
      said: (...args: Parameters<typeof said>) => {
        const [machine, of] = args;
        const now = made.sched.now();
        if (of.vipName === 'honest' && of.state === 'MASTER' && now > BEGINS_AT_MS && machine.id === 'i-b')
          became ??= { atMs: now, tokensLeft: tokensLeft(made, now) };
        said(...args);
      },
    });
  });
  if (became === undefined) throw new Error('the honest VIP has no new master');
  const { atMs } = became;
  const there = world.region.changes.filter(
    (c) => c.cell.includes('rtb-honest-') && c.is === serviceEni('i-b') && c.atMs > atMs,
  );
  if (there.length < TABLES) throw new Error(`${there.length} of ${TABLES} routes came to the new master`);
  const tookMs = Math.max(...there.slice(0, TABLES).map((c) => c.atMs)) - atMs;
  return { atMs: atMs - BEGINS_AT_MS, tokensLeft: became.tokensLeft, tookMs };
}

const BURST = 50;
const REFILL_PER_S = 5;

/** By what was sent, and by what is promised to calls that wait. */
function tokensLeft(world: World, nowMs: number): number {
  let tokens = BURST;
  let atMs = 0;
  for (const { atMs: sentAtMs, step } of world.log.sends) {
    if (step.call !== 'ReplaceRoute') continue;
    tokens = Math.min(BURST, tokens + ((sentAtMs - atMs) / 1000) * REFILL_PER_S) - 1;
    atMs = sentAtMs;
  }
  tokens = Math.min(BURST, tokens + ((nowMs - atMs) / 1000) * REFILL_PER_S);
  const { fullAtMs = 0 } = world.net.budget?.buckets.get('ReplaceRoute') ?? {};
  const untilFullS = Math.max(0, fullAtMs - (world.epochAt + nowMs)) / 1000;
  return Math.floor(Math.min(tokens, BURST - untilFullS * REFILL_PER_S));
}

/** What the issue of a storm allows before its fifteenth second: the tokens that are missing, and a second. */
export const boundBeforeMs = ({ tokensLeft: left }: HonestFailover): number =>
  (Math.max(0, TABLES - left) / REFILL_PER_S) * 1000 + 1000;
/** And from then on. */
export const DAMPED_FROM_MS = 15_000;
export const BOUND_DAMPED_MS = 2000;
