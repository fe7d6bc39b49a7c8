/** The rules of a fault proxy at work: counts, chances and buckets. It decides; the proxy does. */
import type { AwsCall } from './aws-call.ts';
import { drawMs, type Fault, isAbout, type Random, type Rule, type RuleHandle, type Span } from './rule.ts';
import { ec2Bucket, type TokenBucket, tokenBucket } from './token-bucket.ts';

export interface RuleBook {
  add(rule: Rule): RuleHandle;
  clear(): void;
  /** How long the request and the reply of this call travel. */
  delays(call: AwsCall): { readonly requestMs: number; readonly replyMs: number };
  /** What becomes of it, asked at the moment that it would arrive. */
  verdict(call: AwsCall, nowMs: number): Verdict | undefined;
  /** Whether states have to be kept for stale reads. */
  readonly readsAreStale: boolean;
}

export type Verdict =
  | Exclude<Fault, { does: 'delay' } | { does: 'throttle' } | { does: 'stale' }>
  | StaleVerdict;

export interface StaleVerdict {
  readonly does: 'stale';
  readonly ageMs: number;
}

interface Entry {
  readonly rule: Rule;
  readonly buckets: Map<string, TokenBucket>;
  seen: number;
  hits: number;
}

const throttled: Verdict = {
  does: 'refuse',
  code: 'RequestLimitExceeded',
  message: 'Request limit exceeded.',
};

export function ruleBook(random: Random): RuleBook {
  let entries: Entry[] = [];
  const isDue = (entry: Entry, call: AwsCall): boolean => {
    const { rule } = entry;
    if (!isAbout(rule, call)) return false;
    entry.seen += 1;
    if (entry.seen <= (rule.skip ?? 0)) return false;
    if (entry.hits >= (rule.times ?? Number.POSITIVE_INFINITY)) return false;
    return rule.chance === undefined || random() < rule.chance;
  };
  return {
    add(rule) {
      const entry: Entry = { rule, buckets: new Map(), seen: 0, hits: 0 };
      entries.push(entry);
      return {
        get hits() {
          return entry.hits;
        },
        remove() {
          entries = entries.filter((other) => other !== entry);
        },
      };
    },
    clear() {
      entries = [];
    },
    delays(call) {
      const total = { requestMs: 0, replyMs: 0 };
      const draw = (span: Span | undefined) => (span === undefined ? 0 : drawMs(span, random));
      for (const entry of entries) {
        const { fault } = entry.rule;
        if (fault.does !== 'delay' || !isDue(entry, call)) continue;
        entry.hits += 1;
        total.requestMs += draw(fault.requestMs);
        total.replyMs += draw(fault.replyMs);
      }
      return total;
    },
    verdict(call, nowMs) {
      for (const entry of entries) {
        const { fault } = entry.rule;
        if (fault.does === 'delay' || (fault.does === 'stale' && !call.readsWeakly) || !isDue(entry, call))
          continue;
        if (fault.does === 'throttle' && hasToken(entry, call, nowMs)) continue;
        entry.hits += 1;
        if (fault.does === 'throttle') return throttled;
        return fault.does === 'stale' ? { does: 'stale', ageMs: drawMs(fault.ageMs, random) } : fault;
      }
      return undefined;
    },
    get readsAreStale() {
      return entries.some(({ rule }) => rule.fault.does === 'stale');
    },
  };
}

function hasToken(entry: Entry, call: AwsCall, nowMs: number): boolean {
  const bucket = ec2Bucket(call);
  if (bucket === undefined) return true;
  const existing = entry.buckets.get(bucket.name) ?? tokenBucket(bucket.size);
  entry.buckets.set(bucket.name, existing);
  return existing.take(nowMs);
}
