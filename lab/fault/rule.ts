/**
 * What a fault proxy does to which calls.
 *
 * Rules are asked in the order in which they were added: every delay that matches counts, and the first other fault that matches is done.
 */
import type { AwsCall } from './aws-call.ts';

/** A fixed time, or a log-normal one with this median and 99th percentile. */
export type Span = number | { readonly p50Ms: number; readonly p99Ms: number };

export type Fault =
  /** The service says no. `after`: only once the call has taken effect. */
  | {
      readonly does: 'refuse';
      readonly code: string;
      readonly message?: string;
      readonly status?: number;
      readonly after?: boolean;
    }
  /** The connection is reset; `after`: once the call has taken effect. */
  | { readonly does: 'reset'; readonly after?: boolean }
  /** No answer, ever; `after`: the call has taken effect and only the reply is lost. */
  | { readonly does: 'stall'; readonly after?: boolean }
  /** The call takes effect and the answer stops half-way. */
  | { readonly does: 'stall-body' }
  /** The request, the reply or both travel this long. A client that gives up meanwhile does not keep a request from landing. */
  | { readonly does: 'delay'; readonly requestMs?: Span; readonly replyMs?: Span }
  /** A weak read is answered with the state of so long ago. */
  | { readonly does: 'stale'; readonly ageMs: Span }
  /** EC2's token buckets, one per action, full when the rule is added. */
  | { readonly does: 'throttle' };

export interface Rule {
  /** The actions it is about; all by default. */
  readonly on?: string | readonly string[];
  readonly where?: (call: AwsCall) => boolean;
  /** Leaves so many matching calls alone first. */
  readonly skip?: number;
  /** Ends after so many. */
  readonly times?: number;
  /** Is done to this part of the calls that match; to all by default. */
  readonly chance?: number;
  readonly fault: Fault;
}

export interface RuleHandle {
  /** How many calls it was done to. */
  readonly hits: number;
  remove(): void;
}

/** A random number in [0, 1). */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const z99 = 2.326;

export function drawMs(span: Span, random: Random): number {
  if (typeof span === 'number') return span;
  const sigma = Math.log(span.p99Ms / span.p50Ms) / z99;
  // Box and Muller's normal deviate; 1 - x keeps the logarithm from 0.
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return span.p50Ms * Math.exp(sigma * normal);
}

/** Whether a rule is about a call, by what the call is; counting and chance are the proxy's. */
export function isAbout({ on, where }: Rule, call: AwsCall): boolean {
  const actions = on === undefined ? undefined : [on].flat();
  if (actions !== undefined && !actions.includes(call.action)) return false;
  return where?.(call) ?? true;
}
