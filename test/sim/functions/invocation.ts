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

export const invocation = (given: Given): Invocation => new Running(given);

/** A class, because a history has hundreds of invocations, and most of them make one request. It is its own clock. */
class Running implements Invocation {
  readonly name: string;
  readonly hint: Hint | undefined;
  readonly luck: Chance;
  readonly deadline: EpochMs;
  readonly nonces = new Set<string>();
  awaits = 0;
  dead = false;
  pausedUntilMs = 0;
  readonly #given: Given;

  constructor(given: Given) {
    const { sched, timeoutMs } = given;
    this.name = given.name;
    this.hint = given.hint;
    this.luck = given.luck;
    this.#given = given;
    this.deadline = epochMs(this.now() + timeoutMs - MARGIN_MS);
    if (!given.outlives) sched.after(timeoutMs, () => this.die());
  }

  get clock(): Clock {
    return this;
  }

  now(): EpochMs {
    const { epochAt, sched, skewMs } = this.#given;
    return epochMs(Math.floor(epochAt + sched.now() + skewMs));
  }

  wait(duration: number): Promise<void> {
    if (this.now() + duration > this.deadline) {
      return Promise.reject(new Fault('deadline', 'Deadline', 'the invocation has no time left to wait'));
    }
    return new Promise((resolve) => {
      this.begin(() => this.#given.sched.after(duration, () => this.hear(resolve)));
    });
  }

  begin(go: () => void): void {
    if (this.dead) return;
    const { blow, sched } = this.#given;
    this.awaits += 1;
    this.#given.counted();
    const hit = blow !== undefined && blow.atAwait === this.awaits ? blow : undefined;
    if (hit === undefined) {
      this.#later(go);
      return;
    }
    this.#given.struck(hit.what, sched.now() + hit.forMs);
    if (!hit.before) go();
    if (hit.what === 'kill') {
      this.die();
      return;
    }
    this.pausedUntilMs = sched.now() + hit.forMs;
    if (hit.before) this.#later(go);
  }

  hear(go: () => void): void {
    if (this.dead) return;
    const { sched } = this.#given;
    if (this.pausedUntilMs > sched.now()) {
      sched.at(this.pausedUntilMs, () => this.hear(go));
      return;
    }
    sched.stir();
    go();
  }

  die(): void {
    if (this.dead) return;
    this.dead = true;
    this.#given.died();
  }

  #later(go: () => void): void {
    if (this.dead) return;
    const { sched } = this.#given;
    if (this.pausedUntilMs > sched.now()) sched.at(this.pausedUntilMs, () => this.#later(go));
    else go();
  }
}
