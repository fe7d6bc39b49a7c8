/**
 * Eventual consistency for an emulator that has none: weak reads answered with the state of some time ago.
 *
 * Before each change goes out, every read seen so far is asked once more and its answer kept; the state at an instant is then the first answer kept
 * at or after it. Limit: a read that was never asked before cannot be old; and only changes through the same proxy are noticed.
 */
import type { HttpReply, HttpRequest } from './aws-call.ts';

export interface StaleReads {
  /** Remembers how this read is asked. */
  note(request: HttpRequest): void;
  /** Keeps the state that a change is about to end. */
  beforeChange(): Promise<void>;
  changed(): void;
  /** The answer as it was at that instant; undefined where nothing has changed since. */
  asOf(request: HttpRequest, atMs: number): HttpReply | undefined;
}

interface Kept {
  readonly atMs: number;
  readonly reply: HttpReply;
}

const rememberedReads = 64;
const keptStates = 256;

export function staleReads(ask: (request: HttpRequest) => Promise<HttpReply>, now: () => number): StaleReads {
  const reads = new Map<string, { readonly request: HttpRequest; readonly kept: Kept[] }>();
  let keeping: Promise<void> | undefined;
  const keep = async () => {
    const all = [...reads.values()].map(async ({ request, kept }) => {
      const reply = await ask(request).catch(() => undefined);
      if (reply !== undefined) kept.push({ atMs: now(), reply });
      if (kept.length > keptStates) kept.shift();
    });
    await Promise.all(all);
  };
  return {
    note(request) {
      const key = keyOf(request);
      if (reads.has(key)) return;
      reads.set(key, { request, kept: [] });
      if (reads.size > rememberedReads) reads.delete(reads.keys().next().value!);
    },
    // Changes that come together share one state: none of them has gone out yet.
    beforeChange() {
      keeping ??= keep();
      return keeping;
    },
    changed() {
      keeping = undefined;
    },
    asOf(request, atMs) {
      return reads.get(keyOf(request))?.kept.find((state) => state.atMs >= atMs)?.reply;
    },
  };
}

function keyOf({ path, headers, body }: HttpRequest): string {
  return [path, headers['x-amz-target'], body.toString('utf8')].join('\n');
}
