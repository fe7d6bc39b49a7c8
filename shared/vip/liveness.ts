// Evidence and silence. Time is cut into windows; `heard` holds those in which any member of the VIP reported by the bus, in time,
// `heardDirectly` those in which one did by the function URL. A node is silent when others reported in SILENT_AFTER_WINDOWS
// windows after its own last one.
//
// Invariant: nothing ages while nothing arrives. When the bus is down for all, no node becomes silent: silence is counted in
// windows with reports and never against the present (guarantee 8). And a window counts against a node only if it was filled by
// a way that the node has used: the bus, which every shim uses, or the direct one, once its transition came that way. Else a
// bus that is down would silence the half of a fleet that has no direct path.
// `heard` only ever grows (a set), so recording evidence needs no read before the write; see
// docs/decisions/0001-evidence-slots-are-a-set.md for what this changes against a counter.
// Limit: windows are aligned to the clock, so 100 s of silence may or may not be enough, 125 s are, plus one assertion.
import { defined } from '../optional.ts';
import { type DurationMs, durationMs, seconds } from '../time.ts';

/** Length of an evidence window. Masters assert every 10 s, so a window without a report of theirs means something. */
export const EVIDENCE_WINDOW: DurationMs = seconds(25);
/** A node is silent when members reported in this many windows after its own last one: 100 to 130 s. */
export const SILENT_AFTER_WINDOWS = 5;

export const windowOf = (instant: number): number => Math.floor(instant / EVIDENCE_WINDOW);

/** The window of a node state of which no claim came in time: silent, however few windows have reports since. */
export const NEVER_IN_TIME = 0;

/** More than SILENT_AFTER_SLOTS, so that pruning changes no answer of `isSilent`. */
export const HEARD_KEPT = 12;
/** Writers that can read first prune beyond this; it bounds the set at a few hundred bytes. */
export const HEARD_PRUNE_ABOVE = 40;

/** The longest that a node may say nothing before it is silent, masters asserting every 10 s. */
export const SILENCE_MAX: DurationMs = durationMs(EVIDENCE_WINDOW * SILENT_AFTER_WINDOWS + 10_000);

/** The windows in which members reported, by way. */
export interface Heard {
  readonly heard: readonly number[];
  readonly heardDirectly?: readonly number[];
}

interface LastReport {
  readonly slot: number;
  /** The ways that the node has used; absent: the bus alone. */
  readonly ways?: 'direct' | 'both';
}

export const isSilent = (vip: Heard, node: LastReport): boolean =>
  node.slot === NEVER_IN_TIME ||
  windowsAgainst(vip, node).reduce((later, window) => (window > node.slot ? later + 1 : later), 0) >=
    SILENT_AFTER_WINDOWS;

/** Whether a report counts against nodes that have said nothing since. */
export const isEvidence = ({ slot }: LastReport): boolean => slot !== NEVER_IN_TIME;

function windowsAgainst({ heard, heardDirectly = [] }: Heard, { ways }: LastReport): readonly number[] {
  if (ways === undefined || heardDirectly.length === 0) return heard;
  return [...heard, ...heardDirectly.filter((window) => !heard.includes(window))];
}

/** The windows after one report; the same arrays where it adds nothing, as one that came late: it decides nothing (guarantee 2). */
export function withReport({ heard, heardDirectly }: Heard, window: number, report: LastReport): Heard {
  if (!isEvidence(report)) return { heard, ...defined({ heardDirectly }) };
  return report.ways === 'direct'
    ? { heard, heardDirectly: withHeard(heardDirectly ?? [], window) }
    : { heard: withHeard(heard, window), ...defined({ heardDirectly }) };
}

/** Without windows that change no answer of `isSilent`; the same arrays where there are few. */
export const prunedHeard = ({ heard, heardDirectly }: Heard): Heard => ({
  heard: pruned(heard),
  ...defined({ heardDirectly: heardDirectly && pruned(heardDirectly) }),
});

export const withHeard = (heard: readonly number[], window: number): readonly number[] =>
  heard.includes(window) ? heard : [...heard, window].sort((a, b) => a - b);

export const pruned = (heard: readonly number[]): readonly number[] =>
  heard.length > HEARD_PRUNE_ABOVE ? [...heard].sort((a, b) => a - b).slice(-HEARD_KEPT) : heard;
