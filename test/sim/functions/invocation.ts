// One run of a Lambda function: it may be killed or paused at any of its awaits, and it ends at its timeout. A request
// that was sent before goes its own way, whatever becomes of the one who sent it.

import type { Hint } from '../../../shared/controller/hint.ts';
import { Fault } from '../../../shared/fault.ts';
import { type Clock, type EpochMs, epochMs } from '../../../shared/time.ts';
import type { Chance } from '../history/random.ts';
import type { Scheduler } from '../world/scheduler.ts';

export interface Invocation {
  readonly name: string;
  /** What it was invoked with, when that was a hint. */
  readonly hint: Hint | undefined;
  readonly luck: Chance;
  readonly clock: Clock;
  readonly deadline: EpochMs;
  readonly nonces: Set<string>;
  /** How many requests and waits it has begun. */
  awaits: number;
  dead: boolean;
  pausedUntilMs: number;
  /** Begins a request: now, after a pause, or never. */
  begin(go: () => void): void;
  /** Lets the invocation hear something: now, after a pause, or never. */
  hear(go: () => void): void;
  die(): void;
}

/** At which await what strikes; `before`: the request does not go out any more, or only after the pause. */
export interface Blow {
  readonly what: 'kill' | 'pause';
  readonly atAwait: number;
  readonly before: boolean;
  readonly forMs: number;
}

/** What is left for answering when the domain's own deadline has come. */
const MARGIN_MS = 1500;

export interface Given {
  readonly name: string;
  readonly hint: Hint | undefined;
  readonly luck: Chance;
  readonly sched: Scheduler;
  readonly epochAt: number;
  readonly timeoutMs: number;
  /** How wrong the sandbox's clock is. */
  readonly skewMs: number;
  readonly blow: Blow | undefined;
  /** A frozen sandbox that resumes later goes on, although its time is over. */
  readonly outlives: boolean;
  readonly struck: (what: 'kill' | 'pause', untilMs: number) => void;
  readonly counted: () => void;
  readonly died: () => void;
}

export function invocation(given: Given): Invocation {
  const { sched, blow } = given;
  const startedAtMs = sched.now();
  const now = (): EpochMs => epochMs(Math.floor(given.epochAt + sched.now() + given.skewMs));
  const deadline = epochMs(now() + given.timeoutMs - MARGIN_MS);
  const self: Invocation = {
    name: given.name,
    hint: given.hint,
    luck: given.luck,
    deadline,
    nonces: new Set(),
    awaits: 0,
    dead: false,
    pausedUntilMs: 0,
    clock: { now, wait },
    begin(go) {
      if (self.dead) return;
      self.awaits += 1;
      given.counted();
      const hit = blow !== undefined && blow.atAwait === self.awaits ? blow : undefined;
      if (hit === undefined) return later(go);
      given.struck(hit.what, sched.now() + hit.forMs);
      if (hit.what === 'kill') {
        if (!hit.before) go();
        return self.die();
      }
      if (!hit.before) go();
      self.pausedUntilMs = sched.now() + hit.forMs;
      if (hit.before) later(go);
    },
    hear(go) {
      if (self.dead) return;
      if (self.pausedUntilMs > sched.now()) {
        sched.at(self.pausedUntilMs, () => self.hear(go));
        return;
      }
      sched.stir();
      go();
    },
    die() {
      if (self.dead) return;
      self.dead = true;
      given.died();
    },
  };
  const later = (go: () => void): void => {
    if (self.dead) return;
    if (self.pausedUntilMs > sched.now()) sched.at(self.pausedUntilMs, () => later(go));
    else go();
  };
  function wait(duration: number): Promise<void> {
    if (now() + duration > deadline) {
      return Promise.reject(new Fault('deadline', 'Deadline', 'the invocation has no time left to wait'));
    }
    return new Promise((resolve) => {
      self.begin(() => sched.after(duration, () => self.hear(resolve)));
    });
  }
  if (!given.outlives) sched.at(startedAtMs + given.timeoutMs, () => self.die());
  return self;
}
