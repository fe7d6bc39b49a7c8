// The words that nodes send, and those that someone with a node's identity makes up. What a node can truly say comes from
// a small history of it: boots, a clock that drifts and may stand still, transitions, some of them noticed late, and words
// that wait, travel and arrive late.
import fc from 'fast-check';
import { defined } from '../../shared/optional.ts';
import { epochMs, seconds } from '../../shared/time.ts';
import type { Claim, VrrpState } from '../../shared/vip/claim.ts';
import { claimOf, START } from '../support/world.ts';

const DAY_MS = 86_400_000;

export interface NodeWord {
  readonly claim: Claim;
  /** Milliseconds after its stamp. */
  readonly arrivesMs: number;
  /** Which transition of the history it speaks of. */
  readonly nth: number;
}

const said = fc.record({
  /** Within its transition, in thousandths of it. */
  at: fc.constantFrom(0, 0, 1, 100, 500, 900, 999),
  waitsMs: fc.constantFrom(0, 0, 0, 700, 5000, 90_000),
  travelsMs: fc.constantFrom(20, 20, 300, 3000),
  arrivesMs: fc.constantFrom(0, 0, 59_000, 90_000, DAY_MS),
  advert: fc.boolean(),
  /** By the function URL, whose front end has a clock of its own. */
  direct: fc.constantFrom(undefined, undefined, -100, 0, 100),
  /** Sent when newer ones have been already. */
  straggles: fc.constantFrom(false, false, false, true),
});

const states = fc.record({
  lastsMs: fc.constantFrom(40, 1000, 1500, 8000, 14_900, 15_100, 70_000, 3_600_000),
  /** keepalived's line was lost: the shim learns of the transition this much later, and dates it right. */
  noticedMs: fc.constantFrom(0, 0, 0, 900, 9000),
  state: fc.constantFrom<VrrpState>('MASTER', 'MASTER', 'BACKUP', 'FAULT'),
  said: fc.array(said, { minLength: 1, maxLength: 4 }),
});

const boots = fc.record({
  driftPpm: fc.constantFrom(-200, 0, 200),
  upAlreadyMs: fc.constantFrom(0, 0, 90 * DAY_MS),
  /** The host stands still once, and CLOCK_BOOTTIME with it or not. */
  pause: fc.record({
    atMs: fc.oneof(fc.integer({ min: 0, max: 30_000 }), fc.constantFrom(15, 1015)),
    forMs: fc.constantFrom(0, 0, 60_000),
  }),
  paused: fc.constantFrom('with the clock' as const, 'without it' as const),
  /** From the last word of the boot before. */
  afterMs: fc.constantFrom(1000, 3000, 20_000),
  states: fc.array(states, { minLength: 1, maxLength: 4 }),
});

export const nodeHistory = fc.array(boots, { minLength: 1, maxLength: 3 }).map(wordsOf);

type Boot = typeof boots extends fc.Arbitrary<infer T> ? T : never;

/** Within a boot times are those of the node's own life, which stands still while the host does. */
function wordsOf(history: readonly Boot[]): readonly NodeWord[] {
  const words: NodeWord[] = [];
  let [nowMs, nth] = [0, 0];
  for (const [n, boot] of history.entries()) {
    const bootedMs = nowMs + boot.afterMs;
    const { trueMs, upMs, arrivesAtMs } = clocksOf(boot, bootedMs, n === 0);
    let beganMs = 10;
    const livedMs = boot.states.reduce((sum, nodeState) => sum + nodeState.lastsMs, beganMs);
    const noticed = boot.states.every((nodeState) => nodeState.noticedMs === 0);
    for (const [s, nodeState] of boot.states.entries()) {
      const knownMs = beganMs + lateBy(nodeState);
      const endsMs = beganMs + nodeState.lastsMs;
      const next = boot.states[s + 1];
      // A node speaks of a transition until it knows of the next one.
      const spokenMs = endsMs + (next === undefined ? 0 : lateBy(next));
      for (const [i, word] of nodeState.said.entries()) {
        const first = word.at === 0;
        const saidMs = first ? beganMs : knownMs + ((spokenMs - knownMs) * word.at) / 1000;
        const lastMs = word.straggles && noticed ? livedMs : spokenMs;
        const sentMs = Math.min(Math.max(saidMs + word.waitsMs, knownMs), lastMs - 5);
        const stampMs = START + arrivesAtMs(sentMs, word.travelsMs);
        const seq = Math.floor(upMs(saidMs) * 1000);
        const over = {
          seq,
          since: Math.floor(upMs(beganMs) * 1000),
          // A clock of finer steps than the shim's.
          uptimeMs: Math.ceil(upMs(Math.max(sentMs, saidMs)) * 8) / 8,
          atMs: START + Math.floor(trueMs(saidMs)),
          timeMs: epochMs(Math.floor(stampMs / 1000) * 1000),
          eventId: `event ${nth} ${i}`,
          // It is to go, and stays, from one word to the next.
          ...(seq % 3 === 0 ? { leaving: 'spot-terminate' } : {}),
          ...(word.direct === undefined
            ? {}
            : { way: 'direct' as const, timeMs: epochMs(Math.round(stampMs) + word.direct) }),
        };
        const kind = first ? 'transition' : word.advert ? 'lower-advert' : 'assertion';
        const bootId = `boot-${(n * 7) % 3}`;
        const claim = claimOf('i-a', {
          kind,
          state: nodeState.state,
          priority: 100 + (seq % 7),
          bootId,
          over,
        });
        words.push({ claim, arrivesMs: word.arrivesMs, nth });
        nowMs = Math.max(nowMs, stampMs - START, trueMs(endsMs));
      }
      nth += 1;
      beganMs = endsMs;
    }
  }
  return words;
}

const lateBy = ({ noticedMs, lastsMs }: Boot['states'][number]): number => Math.min(noticedMs, lastsMs / 2);

const clocksOf = ({ driftPpm, upAlreadyMs, pause, paused }: Boot, bootedMs: number, first: boolean) => {
  const still = (lifeMs: number) => (lifeMs < pause.atMs ? 0 : pause.forMs);
  const trueMs = (lifeMs: number) => bootedMs + lifeMs + still(lifeMs);
  return {
    trueMs,
    /** What was about to leave when the host stood still leaves first of all after it. */
    arrivesAtMs: (sentMs: number, travelsMs: number) => {
      const held = pause.forMs > 0 && sentMs < pause.atMs && sentMs + 20 >= pause.atMs;
      return held ? trueMs(pause.atMs) + 10 : trueMs(sentMs) + travelsMs;
    },
    /** CLOCK_BOOTTIME. */
    upMs: (lifeMs: number) =>
      (first ? upAlreadyMs : 0) +
      (lifeMs + (paused === 'without it' ? still(lifeMs) : 0)) * (1 + driftPpm / 1e6),
  };
};

/** Where the real node of the forged words is. */
export const REAL_BOOT = 'boot-real';
export const REAL_UP_MS = 3_600_000;

/** Made up, and stamped between START and START + 60 s: any boot, any uptime, any state. */
export const forgedWord = fc
  .record({
    bootId: fc.constantFrom(REAL_BOOT, REAL_BOOT, 'boot-0', 'boot-zzz'),
    stampS: fc.integer({ min: 0, max: 60 }),
    upMs: fc.oneof(
      fc.constantFrom(0, 1000, REAL_UP_MS, 3_155_760_000_000),
      fc.integer({ min: REAL_UP_MS - 70_000, max: REAL_UP_MS + 130_000 }),
    ),
    /** The contract allows any; the parser keeps three digits. */
    fractionMs: fc.constantFrom(0, 0, 0, 0.001, 0.25, 0.499, 0.5, 0.501, 0.999),
    aheadMs: fc.constantFrom(-60_000, -1, 0, 0, 999),
    sinceMs: fc.constantFrom(0, 1, 60_000, 3_600_000),
    state: fc.constantFrom<VrrpState>('MASTER', 'BACKUP', 'FAULT', 'STOP', 'DELETED'),
    kind: fc.constantFrom('transition' as const, 'assertion' as const, 'lower-advert' as const),
    priority: fc.constantFrom(0, 100, 255),
    atMs: fc.constantFrom(-8.64e15, START, 8.64e15),
  })
  .map(({ bootId, stampS, upMs, fractionMs, aheadMs, sinceMs, state, kind, priority, atMs }): Claim => {
    const seq = Math.max(0, upMs + aheadMs) * 1000;
    const since = kind === 'transition' ? seq : Math.max(0, seq - sinceMs * 1000);
    const timeMs = epochMs(START + seconds(stampS));
    const over = { seq, since, uptimeMs: upMs + fractionMs, atMs, timeMs };
    return claimOf('i-a', { kind, state, priority, bootId, over });
  });

/** Two reports of one transition that are equal in almost everything: what is left decides, or nothing does. */
export const tiedWords = fc
  .record({
    word: forgedWord,
    fractionMs: fc.constantFrom(0, 0.001, 0.25, 0.499, 0.5, 0.501, 0.999, 1),
    laterMs: fc.constantFrom(0, 0, 0, 1, 1000),
    seqUs: fc.constantFrom(0, 0, 1, 500),
    clockMs: fc.constantFrom(0, 0, 1, -1),
    state: fc.constantFrom<VrrpState | undefined>(undefined, undefined, 'STOP'),
    priority: fc.constantFrom<number | undefined>(undefined, undefined, 100),
    kind: fc.constantFrom<Claim['kind'] | undefined>(undefined, undefined, 'lower-advert'),
    leaving: fc.constantFrom(undefined, undefined, 'system-reboot'),
    atRisk: fc.constantFrom(undefined, undefined, true),
  })
  .map(({ word, fractionMs, laterMs, seqUs, clockMs, state, priority, kind, leaving, atRisk }) => {
    const other: Claim = {
      ...word,
      ...(state === undefined ? {} : { state }),
      ...(priority === undefined ? {} : { priority }),
      ...(kind === undefined ? {} : { kind }),
      ...defined({ leaving, atRisk }),
      uptimeMs: word.uptimeMs + fractionMs + laterMs,
      timeMs: epochMs(word.timeMs + (laterMs === 1000 ? 1000 : 0)),
      seq: word.seq + seqUs,
      atMs: word.atMs + clockMs,
    };
    return [word, other] as const;
  });

/** What the real node says `atMs` after START: that it has been BACKUP for ten minutes. */
export const realWord = (atMs: number): Claim =>
  claimOf('i-a', {
    kind: 'assertion',
    state: 'BACKUP',
    bootId: REAL_BOOT,
    over: {
      seq: (REAL_UP_MS + atMs) * 1000,
      since: (REAL_UP_MS - 600_000) * 1000,
      uptimeMs: REAL_UP_MS + atMs,
      atMs: START + atMs,
      timeMs: epochMs(Math.floor((START + atMs) / 1000) * 1000),
    },
  });
