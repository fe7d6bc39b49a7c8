// The functions as AWS runs them: sandboxes with clocks of their own, asynchronous retries for the failover function,
// a schedule and hints for reconcile, the workflow's steps. bus.ts delivers to them.

import type { InvocationPorts } from '../../../shared/aws/invocation.ts';
import { type Answer, handleClaim } from '../../../shared/controller/handle-claim.ts';
import type { Hint } from '../../../shared/controller/hint.ts';
import { type ReconcileAllResult, reconcileFor } from '../../../shared/controller/reconcile-all.ts';
import { defined } from '../../../shared/optional.ts';
import { type LocalBucket, localBucket } from '../../../shared/rate-limit/local-bucket.ts';
import { type PrefetchMemory, prefetchMemory } from '../../../shared/rate-limit/prefetch-memory.ts';
import { epochMs } from '../../../shared/time.ts';
import { LEASE_TTL } from '../../../shared/vip/lease.ts';
import type { FaultName, History } from '../history/history.ts';
import { type Chance, chance } from '../history/random.ts';
import type { Word } from '../node/machine.ts';
import { isAccepted } from '../truth/known.ts';
import { type Blow, type Invocation, invocation } from './invocation.ts';
import type { Network } from './network.ts';
import { portsOf } from './ports.ts';

export const ROLE = 'AROAEXAMPLE';
export const SKEW_MAX_MS = 100;

interface Sandbox {
  readonly skewMs: number;
  readonly pace: LocalBucket;
  readonly prefetchMemory: PrefetchMemory;
  busy: boolean;
}

export interface Cloud {
  readonly seed: number;
  readonly net: Network;
  /** Counts a fault that strikes; false when the times are quiet. */
  odds(name: FaultName, luck: Chance): boolean;
  struck(name: FaultName, untilMs: number): void;
  counted(): void;
  delivered(word: Word, stampMs: number): void;
  /** An invocation has answered that it stands in the item. */
  accepted(word: Word): void;
  /** How long a claim's or a sweep's invocation may take. */
  readonly timeoutMs: number;
  readonly blows: NonNullable<History['blows']>;
  readonly stepTimeoutMs: number;
  /** Is given every invocation that begins, for tests that enumerate their awaits. */
  readonly onBegin: ((by: Invocation) => void) | undefined;
  invocations: number;
}

/** One event on its way to the function `failover`; the name is the invocation's. */
export interface Delivery {
  readonly name: string;
  readonly word: Word;
  readonly stampMs: number;
  readonly eventId: string;
  readonly source: string;
  /** By the function URL; absent: by the bus. */
  readonly way?: 'direct';
}

export interface Functions {
  claimed(delivery: Delivery): void;
  /** By the function URL: no one but the caller says it again. */
  called(delivery: Delivery, answered: (status: number) => void): void;
  /** Reconcile: over all VIPs, or over those that a hint concerns. */
  sweep(name: string, hint?: Hint): void;
  /** One step of a workflow. */
  step<T>(name: string, work: (ports: InvocationPorts) => Promise<T>, ended: (how: Ended<T>) => void): void;
}

/** What became of an invocation: `died` as its caller sees a kill or a time-out. */
export type Ended<T> =
  | { readonly is: 'answered'; readonly answer: T }
  | { readonly is: 'threw'; readonly error: unknown }
  | { readonly is: 'died' };

/** What an invocation does, and what comes of it. */
interface Job<T> {
  readonly work: (ports: InvocationPorts) => Promise<T>;
  readonly ended: (how: Ended<T>) => void;
  readonly hint?: Hint | undefined;
  readonly timeoutMs?: number;
  /** What it carries, when that is a claim. */
  readonly carries?: Delivery;
}

type Begun = Pick<Job<unknown>, 'hint' | 'timeoutMs' | 'carries'>;

/** A step may wait for a claim, or for EC2 to show what was done (serverless.yml). */
export const STEP_TIMEOUT_MS = 300_000;

export function functions(cloud: Cloud): Functions {
  const sandboxes: Sandbox[] = [];
  const { net } = cloud;
  const { sched } = net;
  const boxLuck = chance(cloud.seed, 'sandboxes');

  const sandbox = (): Sandbox => {
    const free = sandboxes.find((s) => !s.busy);
    if (free !== undefined) {
      free.busy = true;
      return free;
    }
    const skewMs = boxLuck.between(-SKEW_MAX_MS, SKEW_MAX_MS);
    const made = { skewMs, pace: localBucket(), prefetchMemory: prefetchMemory(), busy: true };
    sandboxes.push(made);
    return made;
  };

  const firstCarrierOf = firstCarriers(cloud);

  const begin = (name: string, { timeoutMs = cloud.timeoutMs, hint, carries }: Begun, died: () => void) => {
    const luck = chance(cloud.seed, name);
    const box = sandbox();
    cloud.invocations += 1;
    const by = invocation({
      name,
      hint,
      luck,
      sched,
      epochAt: net.epochAt,
      timeoutMs,
      skewMs: box.skewMs,
      blow:
        cloud.blows.find((b) => b.invocation === name) ??
        (carries && firstCarrierOf(carries, luck)) ??
        blowFor(cloud, luck),
      outlives: luck.odds(0.2),
      struck: (what, untilMs) =>
        cloud.struck(what === 'kill' ? 'invocation killed' : 'invocation paused', untilMs),
      counted: () => cloud.counted(),
      died: () => {
        // Lambda starts a killed sandbox's process again: what it remembered is gone.
        sandboxes.splice(sandboxes.indexOf(box), 1);
        died();
      },
    });
    cloud.onBegin?.(by);
    if (carries !== undefined)
      net.log.carried.push({ atMs: sched.now(), by, word: carries.word, way: carries.way });
    return { by, box };
  };

  const deskOf = (by: Invocation, box: Sandbox): InvocationPorts => ({
    ...portsOf(net, by),
    clock: by.clock,
    localBucket: box.pace,
    random: () => by.luck.next(),
    nonce: () => {
      const nonce = `${by.name}#${by.nonces.size + 1}`;
      by.nonces.add(nonce);
      return nonce;
    },
    deadline: by.deadline,
    prefetchMemory: box.prefetchMemory,
  });

  const invoke = <T>(name: string, { work, ended, ...begun }: Job<T>): void => {
    const { by, box } = begin(name, begun, () => ended({ is: 'died' }));
    const end = (how: Ended<T>) => {
      if (by.dead) return;
      by.dead = true;
      box.busy = false;
      ended(how);
    };
    sched.stir();
    work(deskOf(by, box)).then(
      (answer) => end({ is: 'answered', answer }),
      (error: unknown) => end({ is: 'threw', error }),
    );
  };

  /** Lambda's own retries of an asynchronous invocation: after one and two minutes, here as luck has it. */
  const claimed = (
    delivery: Delivery,
    attempt = 1,
    answered: (status: number) => void = () => undefined,
  ): void => {
    const { name, word, stampMs, eventId, source, way } = delivery;
    const again = () => {
      if (way === 'direct') return answered(502);
      if (attempt >= 3 || !chance(cloud.seed, `${name} again`).odds(0.5)) return;
      sched.after(60_000 * attempt, () => claimed({ ...delivery, name: `${name}r` }, attempt + 1));
    };
    const deliveredAtMs = sched.now();
    if (source.endsWith(`:${word.node}`)) cloud.delivered(word, stampMs);
    const claim = { ...word, timeMs: epochMs(net.epochAt + stampMs), eventId, ...defined({ way }) };
    const ended = (how: Ended<Answer>) => {
      if (how.is !== 'answered') return again();
      const item = net.vips.items.get(word.vip);
      const { answer } = how.answer;
      net.log.answers.push({ atMs: sched.now(), word, stampMs, deliveredAtMs, answer, item });
      if (isAccepted(answer)) cloud.accepted(word);
      answered(answer === 'rejected' ? 403 : 200);
    };
    const work = (ports: InvocationPorts) =>
      handleClaim(ports, { claim, source }, { mode: 'source', roleId: ROLE });
    invoke(name, { work, ended, carries: delivery });
  };

  return {
    claimed: (delivery) => claimed(delivery),
    called: (delivery, answered) => claimed(delivery, 1, answered),
    sweep(name, hint) {
      const luck = chance(cloud.seed, name);
      if (hint === undefined && cloud.odds('reconcile left out', luck))
        return cloud.struck('reconcile left out', sched.now() + 60_000);
      const beganAtMs = sched.now();
      const ended = (how: Ended<ReconcileAllResult>) => {
        if (how.is !== 'answered' || hint !== undefined) return;
        const reports = how.answer.reports.map(({ vip, unheard }) => ({
          vip,
          unheard: unheard !== undefined,
        }));
        net.log.swept.push(...reports.map((report) => ({ beganAtMs, atMs: sched.now(), ...report })));
      };
      invoke(name, { work: (ports) => reconcileFor(ports, hint), ended, hint });
    },
    step: (name, work, ended) => invoke(name, { work, ended, timeoutMs: cloud.stepTimeoutMs }),
  };
}

/** Kills who carries a transition first, where it comes by two ways; what comes by the other one meets what it has left. */
function firstCarriers(cloud: Cloud): (carries: Delivery, luck: Chance) => Blow | undefined {
  const begun = new Set<string>();
  return ({ word }, luck) => {
    if (word.kind !== 'transition' || word.state !== 'MASTER') return undefined;
    const key = [word.vip, word.node, word.bootId, word.seq].join(' ');
    if (begun.has(key)) return undefined;
    begun.add(key);
    if (!cloud.odds('first carrier dies', luck)) return undefined;
    cloud.struck('first carrier dies', cloud.net.sched.now() + LEASE_TTL);
    return { what: 'kill', atAwait: luck.int(1, 24), before: luck.odds(0.5), forMs: 0 };
  };
}

function blowFor(cloud: Cloud, luck: Chance): Blow | undefined {
  const kill = cloud.odds('invocation killed', luck);
  const pause = !kill && cloud.odds('invocation paused', luck);
  if (!kill && !pause) return undefined;
  return {
    what: kill ? 'kill' : 'pause',
    atAwait: Math.floor(luck.log(1, 24)),
    before: luck.odds(0.5),
    forMs: luck.log(50, 40_000),
  };
}
