// Chance by seed. Every stream is named, so that taking one thing out of a history leaves the luck of all others as it
// was: that is what makes shrinking work.

export interface Chance {
  /** 0 ≤ x < 1. */
  next(): number;
  /** An integer, both ends included. */
  int(low: number, high: number): number;
  /** A number between both ends. */
  between(low: number, high: number): number;
  /** Between both ends, small ones as likely as great ones in proportion; `low` > 0. */
  log(low: number, high: number): number;
  /** True with this probability. Draws nothing when it is 0. */
  odds(probability: number): boolean;
  pick<T>(things: readonly T[]): T;
}

export function hash(text: string, seed: number): number {
  let h = (seed ^ 0x9e3779b9) >>> 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return scramble(h);
}

/** The finalizer of MurmurHash3, which spreads neighbouring seeds over all 32 bits. */
function scramble(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export const chance = (seed: number, name: string): Chance => new Stream(hash(name, scramble(seed)));

/**
 * The generator known as mulberry32: 32 bits of state are plenty for the few hundred draws of one stream. A class, because a
 * history has hundreds of streams, most of which draw once or twice.
 */
class Stream implements Chance {
  #state: number;
  constructor(state: number) {
    this.#state = state;
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }
  log(low: number, high: number): number {
    return low * (high / low) ** this.next();
  }
  odds(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }
  pick<T>(things: readonly T[]): T {
    return things[Math.floor(this.next() * things.length)]!;
  }
}
