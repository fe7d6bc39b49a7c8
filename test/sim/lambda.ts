// The functions as AWS runs them: sandboxes with clocks of their own, asynchronous retries for the failover function,
// a schedule for reconcile; and the bus that delivers to them, at least once, in any order, up to a day late.
import { type Answer, failover } from '../../shared/failover.ts';
import { type Pace, pace } from '../../shared/pace.ts';
import { reconcile } from '../../shared/reconcile.ts';
import type { Wire } from '../../shared/switch.ts';
import { epochMs } from '../../shared/time.ts';
import type { Scope } from '../../shared/vip.ts';
import { type Blow, type Invocation, invocation } from './invocation.ts';
import type { Word } from './machine.ts';
import { type Network, portsOf } from './ports.ts';
import { type Chance, chance } from './random.ts';
import type { FaultName, Story } from './story.ts';

export const ROLE = 'AROAEXAMPLE';
export const SKEW_MAX_MS = 100;

interface Sandbox {
  readonly skewMs: number;
  readonly pace: Pace;
  readonly scopes: Map<string, Scope>;
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
  readonly quietAtMs: number;
  readonly blows: NonNullable<Story['blows']>;
  /** Every invocation that was begun, for tests that enumerate their awaits. */
  readonly begun: Invocation[];
  readonly late: { readonly atMs: number; readonly deliver: () => void }[];
  invocations: number;
  /** The claim accepted by the bus counts one; for the medians. */
  claims: number;
}

export interface Functions {
  /** The bus accepts a word and delivers it as it likes. */
  accept(word: Word, source?: string): void;
  reconcileAll(name: string): void;
}

/** After these an event older than a day is given up; the rule's own maximum age is ignored on purpose. */
const DAY_MS = 86_400_000;
const BEGUN_KEPT = 1000;

export function functions(cloud: Cloud): Functions {
  const sandboxes: Sandbox[] = [];
  const { net } = cloud;
  const { sched } = net;
  const boxLuck = chance(cloud.seed, 'sandboxes');
  let words = 0;

  const sandbox = (): Sandbox => {
    const free = sandboxes.find((s) => !s.busy);
    if (free !== undefined) {
      free.busy = true;
      return free;
    }
    const skewMs = boxLuck.between(-SKEW_MAX_MS, SKEW_MAX_MS);
    const made = { skewMs, pace: pace(), scopes: new Map<string, Scope>(), busy: true };
    sandboxes.push(made);
    return made;
  };

  const begin = (name: string, died: () => void): { by: Invocation; box: Sandbox } => {
    const luck = chance(cloud.seed, name);
    const box = sandbox();
    cloud.invocations += 1;
    const by = invocation({
      name,
      luck,
      sched,
      epochAt: net.epochAt,
      skewMs: box.skewMs,
      blow: cloud.blows.find((b) => b.invocation === name) ?? blowFor(cloud, luck),
      outlives: luck.odds(0.2),
      struck: (what, untilMs) =>
        cloud.struck(what === 'kill' ? 'invocation killed' : 'invocation paused', untilMs),
      counted: () => cloud.counted(),
      died: () => {
        // Lambda starts a killed sandbox's process anew: what it remembered is gone.
        sandboxes.splice(sandboxes.indexOf(box), 1);
        died();
      },
    });
    if (cloud.begun.length < BEGUN_KEPT) cloud.begun.push(by);
    return { by, box };
  };

  const wireOf = (by: Invocation, box: Sandbox, vip: string): Wire => ({
    ...portsOf(net, by, vip),
    clock: by.clock,
    pace: box.pace,
    chance: () => by.luck.next(),
    nonce: () => {
      const nonce = `${by.name}#${by.nonces.size + 1}`;
      by.nonces.add(nonce);
      return nonce;
    },
    deadline: by.deadline,
    scopes: box.scopes,
  });

  /** Lambda's own retries of an asynchronous invocation: after one and two minutes, here as luck has it. */
  const claimed = (
    name: string,
    word: Word,
    stampMs: number,
    eventId: string,
    source: string,
    attempt: number,
  ) => {
    const again = () => {
      if (attempt >= 3 || !chance(cloud.seed, `${name} again`).odds(0.5)) return;
      sched.after(60_000 * attempt, () => claimed(`${name}r`, word, stampMs, eventId, source, attempt + 1));
    };
    const deliveredAtMs = sched.now();
    if (source.endsWith(`:${word.node}`)) cloud.delivered(word, stampMs);
    const { by, box } = begin(name, again);
    const claim = { ...word, timeMs: epochMs(net.epochAt + stampMs), eventId };
    const done = (answer?: Answer) => {
      if (by.dead) return;
      by.dead = true;
      box.busy = false;
      if (answer === undefined) return again();
      const item = net.vips.items.get(word.vip);
      net.log.answers.push({ atMs: sched.now(), word, stampMs, deliveredAtMs, answer: answer.answer, item });
    };
    sched.stir();
    failover(wireOf(by, box, word.vip), { claim, source }, { mode: 'source', roleId: ROLE }).then(done, () =>
      done(),
    );
  };

  return {
    accept(word, source = `vipshift.notify/${ROLE}:${word.node}`) {
      words += 1;
      cloud.claims += 1;
      const eventId = `event-${words}`;
      const luck = chance(cloud.seed, `${word.node} ${word.bootId} ${word.vip} ${word.seq} ${word.ageMs}`);
      // EventBridge's stamp is in whole seconds of its own clock.
      const stampMs = Math.floor((net.epochAt + sched.now()) / 1000) * 1000 - net.epochAt;
      if (cloud.odds('event lost', luck)) return cloud.struck('event lost', sched.now());
      const copies = cloud.odds('event doubled', luck) ? luck.int(2, 3) : 1;
      if (copies > 1) cloud.struck('event doubled', sched.now());
      for (let copy = 0; copy < copies; copy++) {
        const { delayMs, late } = delayOf(cloud, luck);
        const name = `claim ${eventId} ${copy}`;
        const deliver = () => claimed(name, word, stampMs, eventId, source, 1);
        if (late && sched.now() + delayMs > cloud.quietAtMs)
          cloud.late.push({ atMs: sched.now() + delayMs, deliver });
        else sched.after(delayMs, deliver);
      }
    },
    reconcileAll(name) {
      const luck = chance(cloud.seed, name);
      if (cloud.odds('reconcile left out', luck))
        return cloud.struck('reconcile left out', sched.now() + 60_000);
      const { by, box } = begin(name, () => undefined);
      sched.stir();
      const all = wireOf(by, box, '')
        .vips.list()
        .then((vips) =>
          Promise.all(vips.map((vip) => reconcile(wireOf(by, box, vip.name), vip).catch(() => undefined))),
        );
      const done = () => {
        if (by.dead) return;
        by.dead = true;
        box.busy = false;
      };
      all.then(done, done);
    },
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

/** Median 150 ms, 99th percentile about 390 ms (measured by others, 2023). */
function delayOf(cloud: Cloud, luck: Chance): { delayMs: number; late: boolean } {
  const plain = luck.log(90, 390);
  if (cloud.odds('event late', luck)) {
    const delayMs = luck.log(61_000, DAY_MS);
    cloud.struck('event late', 0);
    return { delayMs, late: true };
  }
  if (cloud.odds('event delayed', luck)) {
    const delayMs = luck.log(500, 60_000);
    cloud.struck('event delayed', cloud.net.sched.now() + delayMs);
    return { delayMs, late: false };
  }
  const start = cloud.odds('slow start', luck) ? luck.log(100, 3000) : 0;
  if (start > 0) cloud.struck('slow start', 0);
  return { delayMs: plain + start, late: false };
}
