/**
 * Client: keeps the answers of one probe and says what the outage was.
 *
 * The outage is the longest time between two consecutive good answers, measured by when they arrived; at rest it is the
 * probe's own interval. A failed connection counts by when it was asked.
 * Honest limits: it cannot see an outage shorter than the probe's interval. A connection that is open while the route moves is cut,
 * however short its life: no route table can help that, and it is counted apart from those that no node took.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Place } from '../sandbox/topology.ts';

export interface Answer {
  readonly askedMs: number;
  readonly endedMs: number;
  readonly what: string;
}

export interface Outage {
  /** Last good answer → first good answer. */
  readonly outageMs: number;
  readonly lastGoodMs: number;
  readonly firstGoodMs: number;
  readonly firstGoodNode: string;
  /** No node took the connection: refused outright, or nothing came back. */
  readonly refused: number;
  readonly lost: number;
  /** A node had taken it, and a packet of it then reached the other node, which knows nothing of it. */
  readonly cut: number;
  readonly good: number;
}

const GOOD = new Set(['a', 'b']);
export const PROBE_EVERY_MS = 5;

export function isGood(answer: Answer): boolean {
  return GOOD.has(answer.what);
}

/** Pure: the longest gap among the answers that ended in the window, and what failed of those asked in it. */
export function outageOf(answers: readonly Answer[], fromMs: number, toMs: number): Outage {
  const good = answers
    .filter((answer) => isGood(answer) && answer.endedMs >= fromMs && answer.endedMs <= toMs)
    .toSorted((left, right) => left.endedMs - right.endedMs);
  const bounds = { lastGoodMs: fromMs, firstGoodMs: toMs, firstGoodNode: '' };
  let longest = good.length === 0 ? bounds : { ...bounds, firstGoodMs: fromMs };
  let lastGoodMs = fromMs;
  for (const answer of good) {
    if (answer.endedMs - lastGoodMs > longest.firstGoodMs - longest.lastGoodMs) {
      longest = { lastGoodMs, firstGoodMs: answer.endedMs, firstGoodNode: answer.what };
    }
    lastGoodMs = answer.endedMs;
  }
  if (toMs - lastGoodMs > longest.firstGoodMs - longest.lastGoodMs) longest = { ...bounds, lastGoodMs };
  const failed = answers.filter(
    (answer) => !isGood(answer) && answer.askedMs >= fromMs && answer.askedMs <= toMs,
  );
  const count = (what: string) => failed.filter((answer) => answer.what === what).length;
  const [refused, cut] = [count('refused'), count('reset')];
  return {
    ...longest,
    outageMs: longest.firstGoodMs - longest.lastGoodMs,
    refused,
    cut,
    lost: failed.length - refused - cut,
    good: good.length,
  };
}

export class Client {
  readonly answers: Answer[] = [];
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #listeners = new Set<(answer: Answer) => void>();

  constructor(place: Place, address: string, port: number, patienceMs = 900) {
    const program = new URL('./probe.ts', import.meta.url).pathname;
    const args = [program, address, String(port), String(PROBE_EVERY_MS), String(patienceMs)];
    this.#process = spawn('ip', ['netns', 'exec', place, process.execPath, ...args], { stdio: 'pipe' });
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const [asked, ended, what = 'reset'] = line.split(' ');
      const answer = { askedMs: Number(asked), endedMs: Number(ended), what };
      this.answers.push(answer);
      for (const listener of this.#listeners) listener(answer);
    });
  }

  /** The first answer, good or of one node, that was asked at or after an instant; rejects after the patience. */
  async answerFrom(sinceMs: number, withinMs: number, node?: string): Promise<Answer> {
    const fits = (answer: Answer) =>
      isGood(answer) && answer.askedMs >= sinceMs && (node === undefined || answer.what === node);
    const already = this.answers.findLast(fits) && this.answers.find(fits);
    if (already !== undefined) return already;
    return new Promise((resolve, reject) => {
      const listener = (answer: Answer) => {
        if (!fits(answer)) return;
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve(answer);
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(listener);
        const said = this.answers.slice(-200).map((answer) => answer.what);
        reject(
          new Error(
            `the client got no answer${node ? ` of node ${node}` : ''} within ${withinMs} ms; lately: ${tally(said)}`,
          ),
        );
      }, withinMs);
      this.#listeners.add(listener);
    });
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    this.#process.stdin.end();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 1_000);
    await once(this.#process, 'exit');
    clearTimeout(timer);
  }
}

function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ') || 'nothing';
}
