// Many steps that failed for the same reason, told once: one note with their number, and the message at the first of
// them. The others keep the code, by which a program can count. Pure.
//
// Two messages say the same when they differ only in words with a digit: the table, the address, the ENI that each is about.
// Limit: so two policies that refuse by the same words are told as one; the first one is named.
import type { StepDone } from '../network/step.ts';

/** Reasons that are told with their message; of what goes beyond, the steps have the code. */
const REASONS_MAX = 20;

interface Reason {
  count: number;
  readonly code: string;
  readonly message: string;
  readonly done: boolean;
  readonly isBug: boolean;
}

export interface Folded {
  readonly steps: readonly StepDone[];
  /** One sentence for each reason, the commonest first. */
  readonly notes: readonly string[];
}

export function foldFaults(steps: readonly StepDone[]): Folded {
  const reasons = new Map<string, Reason>();
  let others = 0;
  const folded = steps.map((step) => {
    const { message, ...rest } = step;
    if (message === undefined) return step;
    const code = step.code ?? 'Error';
    const done = step.result === 'done';
    const isBug = step.fault === 'bug';
    const key = JSON.stringify([done, isBug, code, alike(message)]);
    const known = reasons.get(key);
    if (known !== undefined) known.count += 1;
    else if (reasons.size < REASONS_MAX) reasons.set(key, { count: 1, code, message, done, isBug });
    else if (!done) others += 1;
    return known === undefined && reasons.has(key) ? step : rest;
  });
  // What was done after all needs no word, except where our own code was wrong.
  const told = [...reasons.values()].filter((r) => !r.done || r.isBug).sort((a, b) => b.count - a.count);
  return { steps: folded, notes: [...told.map(sentence), ...(others === 0 ? [] : [otherReasons(others)])] };
}

const alike = (message: string): string => message.replace(/\S*\d\S*/g, '#');

function sentence({ count, code, message, isBug }: Reason): string {
  const what = isBug ? `${code}, a bug in vipshift` : code;
  return count === 1 ? `1 × ${what}: ${message}` : `${count} × ${what}; the first: ${message}`;
}

const otherReasons = (count: number): string => `${count} × other reasons: the steps have their codes`;
