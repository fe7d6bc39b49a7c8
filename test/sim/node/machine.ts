// A node: power, boot, clocks, and the shim that tells the bus what keepalived said. The shim behaves like notify/:
// transitions are spooled and sent again while the node lives, the newest of each VIP before those that it superseded,
// assertions are made when sent and never spooled, a lower-advert goes out once. What happens to the shim itself: mishaps.ts.
import { defined } from '../../../shared/optional.ts';
import type { ClaimKind, VrrpState } from '../../../shared/vip/claim.ts';
import type { Chance } from '../history/random.ts';
import type { Scheduler } from '../world/scheduler.ts';
import { type BootClock, trueAt, upAt } from './boot-clock.ts';
import {
  type Caller,
  type DirectLine,
  type DirectRoad,
  sayDirectly,
  saysDirectly,
  sayWaiting,
} from './direct.ts';

/** What keepalived's state of one VIP on one node is. */
export interface Instance {
  readonly vip: number;
  readonly vipName: string;
  readonly priority: number;
  /** keepalived's tracked file lowers its priority. */
  demoted: boolean;
  /** keepalived tracks the file by which the node leaves. */
  lowered: boolean;
  state: VrrpState;
  /** CLOCK_BOOTTIME in µs of the last transition. */
  sinceUs: number;
  /** The newest `sinceUs` of which the shim has read the line. */
  readUs: number;
  /** keepalived has it under the name that the shim knows. */
  named: boolean;
}

/** What the shim hands to the bus. */
export interface Word {
  readonly vip: string;
  readonly node: string;
  readonly state: VrrpState;
  readonly kind: ClaimKind;
  readonly priority: number;
  readonly instance: string;
  readonly bootId: string;
  readonly seq: number;
  readonly since: number;
  readonly uptimeMs: number;
  readonly ageMs: number;
  readonly atMs: number;
  readonly superseded: boolean;
  readonly dropped: number;
  readonly leaving?: string;
  /** Made up by someone who has the node's identity (forge.ts), and of whose transition it speaks. */
  readonly forged?: 'of its own' | 'of the node';
}

/** What keepalived writes into the FIFO. */
export interface Written {
  readonly of: Instance;
  readonly state: VrrpState;
}

interface Line extends Written, Omit<DirectLine, 'of'> {
  readonly atMs: number;
}

export interface Machine {
  readonly id: string;
  readonly zone: string;
  readonly instances: readonly Instance[];
  alive: boolean;
  running: boolean;
  failing: boolean;
  boot: number;
  clock: BootClock;
  /** It stands still, and will go on. */
  asleep: boolean;
  lastSeqUs: number;
  clockMs: number;
  spool: Line[];
  /** What lies in a FIFO that the shim has not found yet; undefined while it reads what keepalived writes into. */
  unread: Written[] | undefined;
  /** How often the shim has started in this history. */
  starts: number;
  sending: boolean;
  retryAtMs: number;
  backoffMs: number;
  /** It is about to go: in its pulse, or a standby of low priority since. */
  leaving: 'pulse' | 'low' | undefined;
  /** It has the function URL, too. */
  readonly direct: boolean;
  calls: Caller['calls'];
  directBackoffMs: Caller['directBackoffMs'];
  /** Requests of the bus that failed in a row. */
  busFailures: number;
  /** The ENIs have their labels and are attached. */
  labelled: boolean;
}

export interface Road {
  readonly sched: Scheduler;
  readonly epochAt: number;
  luck(machine: Machine): Chance;
  /** Whether the bus can be reached from the zone now. */
  open(zone: string): boolean;
  accept(word: Word): void;
  readonly direct: DirectRoad<Word>;
  /** keepalived has changed its state. */
  said(machine: Machine, of: Instance): void;
  /** The fate of one PutEvents. */
  fate(machine: Machine): 'fine' | 'failed' | 'reply lost';
}

const BATCH_MAX = 10;
const DEMOTED_BY = 100;
const LOWERED_BY = 200;

/** What it adverts, and says in its claims. */
export const priorityOf = ({ priority, demoted, lowered }: Instance): number =>
  Math.max(1, priority - (demoted ? DEMOTED_BY : 0) - (lowered ? LOWERED_BY : 0));

export const bootId = (machine: Machine): string => `boot-${machine.boot}-of-${machine.id}`;

const uptimeMs = (machine: Machine, road: Road): number => upAt(machine.clock, road.sched.now());

/** When the instance became what it is. */
export const sinceAt = (machine: Machine, of: Instance): number => trueAt(machine.clock, of.sinceUs / 1000);

export function drawSeq(machine: Machine, road: Road): number {
  const us = Math.floor(uptimeMs(machine, road) * 1000);
  machine.lastSeqUs = us > machine.lastSeqUs ? us : machine.lastSeqUs + 1;
  return machine.lastSeqUs;
}

const wallClock = (machine: Machine, road: Road): number =>
  Math.round(road.epochAt + road.sched.now() + machine.clockMs);

/** keepalived said a new state. */
export function say(machine: Machine, road: Road, of: Instance, state: VrrpState): void {
  of.state = state;
  of.sinceUs = drawSeq(machine, road);
  road.said(machine, of);
  if (!of.named) return;
  if (machine.unread === undefined) read(machine, road, { of, state });
  else machine.unread.push({ of, state });
}

/** The shim reads a line, about a state since `of.sinceUs`. */
export function read(machine: Machine, road: Road, { of, state }: Written): void {
  of.readUs = of.sinceUs;
  machine.spool.push({ of, state, seqUs: of.sinceUs, atMs: wallClock(machine, road), directly: 'not yet' });
  // A new line retries at once.
  machine.retryAtMs = 0;
  send(machine, road);
  assertLater(machine, road, of, 1000);
}

export function sayLowerAdvert(machine: Machine, road: Road, of: Instance): void {
  if (of.state !== 'MASTER' || !machine.alive || !mayAssert(machine, of)) return;
  dispatch(machine, road, [wordOf(machine, road, { of, kind: 'lower-advert' })], () => undefined);
}

/** A line of the spool, or what is made when it is sent. */
type Said = { readonly of: Instance } & (
  | { readonly kind: 'transition'; readonly line: Line }
  | { readonly kind: Exclude<ClaimKind, 'transition'>; readonly line?: never }
);

function wordOf(machine: Machine, road: Road, { of, kind, line }: Said): Word {
  const seq = line?.seqUs ?? drawSeq(machine, road);
  const up = Math.floor(uptimeMs(machine, road));
  return {
    vip: of.vipName,
    node: machine.id,
    state: line?.state ?? of.state,
    kind,
    priority: priorityOf(of),
    instance: 'VI',
    bootId: bootId(machine),
    seq,
    since: line?.seqUs ?? of.sinceUs,
    uptimeMs: up,
    ageMs: Math.max(0, up - Math.floor(seq / 1000)),
    atMs: line?.atMs ?? wallClock(machine, road),
    superseded: line !== undefined && isSuperseded(line),
    dropped: 0,
    ...defined({ leaving: machine.leaving && 'spot-terminate' }),
  };
}

/** Whether keepalived, when it is asked, has the instance, and no line about it lies unread. */
const mayAssert = (machine: Machine, of: Instance): boolean =>
  of.named && !(machine.unread ?? []).some((line) => line.of === of);

export function assertNow(machine: Machine, road: Road, of: Instance): void {
  if (!mayAssert(machine, of)) return;
  const word = wordOf(machine, road, { of, kind: 'assertion' });
  if (saysDirectly(machine)) {
    sayDirectly(machine, road.direct, word, () => undefined);
    if (machine.spool.length > 0) return;
  }
  const { boot, starts } = machine;
  const { sinceUs } = of;
  dispatch(machine, road, [word], (accepted) => {
    // Once more soon, to know that the bus fails and not one request.
    if (accepted || !machine.direct || machine.busFailures !== 1) return;
    road.sched.after(ASSERTED_AGAIN_MS, () => {
      if (machine.alive && machine.boot === boot && machine.starts === starts && of.sinceUs === sinceUs)
        assertNow(machine, road, of);
    });
  });
}

const ASSERTED_AGAIN_MS = 3000;

function assertLater(machine: Machine, road: Road, of: Instance, afterTransitionMs: number): void {
  const { boot } = machine;
  const { sinceUs } = of;
  road.sched.at(trueAt(machine.clock, sinceUs / 1000 + afterTransitionMs), () => {
    if (!machine.alive || machine.boot !== boot || of.sinceUs !== sinceUs) return;
    const period = of.state === 'MASTER' ? 10_000 : 60_000;
    const next =
      afterTransitionMs < 3000 ? 3000 : afterTransitionMs < 10_000 ? 10_000 : afterTransitionMs + period;
    assertLater(machine, road, of, next);
    // It waits until the spool is empty: made when it is due and the way is free, or not at all.
    if ((machine.spool.length === 0 && !machine.sending) || saysDirectly(machine))
      assertNow(machine, road, of);
  });
}

/** The host goes on after it stood still: what was under way then is lost, what lies in the spool is not. */
export function resume(machine: Machine, road: Road): void {
  machine.sending = false;
  machine.retryAtMs = 0;
  send(machine, road);
  for (const of of machine.instances)
    assertLater(machine, road, of, uptimeMs(machine, road) - of.sinceUs / 1000 + 1000);
}

const isSuperseded = ({ of, seqUs }: Line): boolean => seqUs < of.readUs;

/** What is newest of each VIP, then the others, the oldest of each kind first; sent in the order in which it was said. */
function nextBatch({ spool }: Machine): readonly Line[] {
  const newest = spool.filter((line) => !isSuperseded(line));
  const chosen = new Set([...newest, ...spool.filter(isSuperseded)].slice(0, BATCH_MAX));
  return spool.filter((line) => chosen.has(line));
}

/** Sends what lies in the spool, one request at a time. */
export function send(machine: Machine, road: Road): void {
  sayWaiting<Line, Word>(machine, road.direct, (line) =>
    wordOf(machine, road, { of: line.of, kind: 'transition', line }),
  );
  const now = road.sched.now();
  if (!machine.alive || machine.sending || machine.spool.length === 0 || now < machine.retryAtMs) return;
  const batch = nextBatch(machine);
  const { boot, starts } = machine;
  machine.sending = true;
  const words = batch.map((line) => wordOf(machine, road, { of: line.of, kind: 'transition', line }));
  dispatch(machine, road, words, (accepted) => {
    if (machine.boot !== boot || machine.starts !== starts || !machine.alive) return;
    machine.sending = false;
    if (accepted) {
      machine.spool = machine.spool.filter((line) => !batch.includes(line));
      machine.backoffMs = 100;
      return send(machine, road);
    }
    machine.retryAtMs = road.sched.now() + machine.backoffMs;
    machine.backoffMs = Math.min(machine.backoffMs * 2, 5000);
    road.sched.at(machine.retryAtMs, () => send(machine, road));
  });
}

/** One PutEvents: the request and the reply each take their time, and each may be lost. */
function dispatch(
  machine: Machine,
  road: Road,
  words: readonly Word[],
  reply: (accepted: boolean) => void,
): void {
  const luck = road.luck(machine);
  const fate = road.fate(machine);
  road.sched.after(luck.between(15, 60), () => {
    const arrives = road.open(machine.zone) && fate !== 'failed';
    if (arrives) for (const word of words) road.accept(word);
    const answered = arrives && fate !== 'reply lost';
    road.sched.after(answered ? luck.between(5, 30) : luck.between(5, 2000), () => {
      machine.busFailures = answered ? 0 : machine.busFailures + 1;
      reply(answered);
    });
  });
}
