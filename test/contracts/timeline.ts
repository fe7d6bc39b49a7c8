// What every Timeline must do, on memory and on DynamoDB alike.
import { expect, it } from 'vitest';
import type { CountedRejection } from '../../shared/memory/timeline.ts';
import { plus } from '../../shared/time.ts';
import { fitted } from '../../shared/timeline/fit.ts';
import { digest } from '../../shared/timeline/integrity.ts';
import { ITEM_MAX, itemBytes, RECORD_MAX } from '../../shared/timeline/size.ts';
import type { Failover, Intent, Rejection, Timeline } from '../../shared/timeline/timeline.ts';
import { START } from '../support/world.ts';

export interface TimelineUnderTest {
  readonly timeline: Timeline;
  /** Rejections as they are stored. */
  readonly rejections: (
    vip: string,
  ) => Promise<readonly Pick<CountedRejection, 'reason' | 'node' | 'count' | 'example' | 'message'>[]>;
  readonly probes: (vip: string) => Promise<number>;
}

let names = 0;
const fresh = () => `record-${++names}`;
const cause = { kind: 'claim', node: 'i-a', seq: 1, id: 'e-1', why: 'i-a said MASTER', atMs: START } as const;
const step = { cell: 'rtb-1 192.168.255.10/32', call: 'ReplaceRoute', from: 'eni-b', to: 'eni-a' } as const;

export const intentOf = (vip: string, epoch: number): Intent => ({
  entry: 'intent',
  vip,
  epoch,
  holder: 'n',
  cause,
  to: 'i-a',
  why: 'newest MASTER is i-a',
  steps: [step],
  atMs: START,
});

export const outcomeOf = (vip: string, epoch: number, over: Partial<Failover> = {}): Failover => ({
  entry: 'outcome',
  vip,
  epoch,
  holder: 'n',
  cause,
  outcome: 'switched',
  from: 'i-b',
  to: 'i-a',
  why: 'newest MASTER is i-a',
  steps: [{ ...step, result: 'done', attempts: 1, unanswered: 0, sentAtMs: START, doneAtMs: START }],
  conflicts: [{ cell: 'eipalloc-1', found: 'eni-x', why: 'foreign', kind: 'foreign' }],
  stages: [{ stage: 'controller began', atMs: START }],
  verified: true,
  notes: ['one', 'two'],
  claims: {},
  splitBrain: [],
  atMs: START,
  ...over,
});

/** Not all at once: a client waits for an answer for two seconds, and where this process gives the answers, they come one after the other. */
export async function putAll(timeline: Timeline, outcomes: readonly Failover[]): Promise<void> {
  const AT_ONCE = 20;
  for (let from = 0; from < outcomes.length; from += AT_ONCE)
    await Promise.all(outcomes.slice(from, from + AT_ONCE).map((one) => timeline.put(one)));
}

export function timelineContract(open: () => TimelineUnderTest): void {
  it('keeps intent and outcome of an epoch, each as it was put', async () => {
    const { timeline } = open();
    const vip = fresh();
    expect(await timeline.read(vip, 1)).toEqual({});
    expect(await timeline.put(intentOf(vip, 1))).toEqual(intentOf(vip, 1));
    expect(await timeline.put(outcomeOf(vip, 1))).toEqual(outcomeOf(vip, 1));
    const read = await timeline.read(vip, 1);
    expect(read.intent).toMatchObject(intentOf(vip, 1));
    expect(read.outcome).toMatchObject(outcomeOf(vip, 1));
  });

  it('never changes an entry: the first one stays, and the second writer gets it as the answer', async () => {
    const { timeline } = open();
    const vip = fresh();
    const first = outcomeOf(vip, 7, { outcome: 'abandoned' });
    await timeline.put(first);
    expect(await timeline.put(outcomeOf(vip, 7))).toEqual(first);
    expect((await timeline.read(vip, 7)).outcome).toMatchObject({ outcome: 'abandoned' });
  });

  it('keeps epochs apart, also 1 and 10', async () => {
    const { timeline } = open();
    const vip = fresh();
    await timeline.put(outcomeOf(vip, 10));
    expect(await timeline.read(vip, 1)).toEqual({});
  });

  const filled = (vip: string, bytes: number): Failover => {
    const empty = itemBytes(outcomeOf(vip, 1, { notes: [''] }));
    return outcomeOf(vip, 1, { notes: ['→'.repeat(8).padEnd(bytes - empty - 16, 'x')] });
  };

  it('takes an entry of RECORD_MAX bytes, in UTF-8: what the store adds has its place', async () => {
    const { timeline } = open();
    const entry = filled(fresh(), RECORD_MAX);
    expect(itemBytes(entry)).toBe(RECORD_MAX);
    await timeline.put(entry);
    expect((await timeline.read(entry.vip, 1)).outcome).toMatchObject(entry);
  });

  it('keeps an entry from which something was left out, so that its digest stays', async () => {
    const { timeline } = open();
    const vip = fresh();
    const steps = outcomeOf(vip, 1).steps.flatMap((one) => Array.from({ length: 4000 }, () => one));
    const entry = fitted(outcomeOf(vip, 1, { steps }));
    expect(entry.omitted).toEqual({ steps: [{ count: 3950, result: 'done' }] });
    await timeline.put(entry);
    const { outcome } = await timeline.read(vip, 1);
    expect(outcome).toMatchObject(entry);
    expect(digest(outcome!, (text) => text)).toBe(digest(entry, (text) => text));
  });

  it('refuses an entry of more than ITEM_MAX bytes, and keeps nothing of it', async () => {
    const { timeline } = open();
    const entry = filled(fresh(), ITEM_MAX + 1);
    await expect(timeline.put(entry)).rejects.toMatchObject({ kind: 'refused', code: 'ValidationException' });
    expect(await timeline.read(entry.vip, 1)).toEqual({});
  });

  it('counts rejections by VIP, node, reason and hour, with the last example', async () => {
    const { timeline, rejections } = open();
    const vip = fresh();
    const base: Rejection = {
      vip,
      node: 'i-a',
      reason: 'malformed',
      message: 'm',
      example: 'first',
      atMs: START,
    };
    await timeline.reject(base);
    await timeline.reject({ ...base, example: 'last', atMs: plus(START, (59 * 60_000) as never) });
    await timeline.reject({ ...base, reason: 'not-a-member' });
    await timeline.reject({ ...base, atMs: plus(START, (60 * 60_000) as never) });
    const counted = (await rejections(vip)).map(
      ({ reason, count, example }) => `${reason} ${count} ${example}`,
    );
    expect(counted.sort()).toEqual(['malformed 1 first', 'malformed 2 last', 'not-a-member 1 first']);
  });

  it('keeps of a long example and message the beginning and the end: they are there to be read', async () => {
    const { timeline, rejections } = open();
    const vip = fresh();
    const example = `{"a":"${'x'.repeat(9000)}","eventId":"e-1"}`;
    const message = 'm'.repeat(9000);
    await timeline.reject({ vip, node: 'i-a', reason: 'malformed', message, example, atMs: START });
    const [kept] = await rejections(vip);
    expect([kept!.example.length, kept!.message.length]).toEqual([1000, 1000]);
    expect(kept!.example).toMatch(/^\{"a":"x.*…x.*"eventId":"e-1"\}$/);
  });

  it('records a probe once, however often it is delivered', async () => {
    const { timeline, probes } = open();
    const vip = fresh();
    const probe = { vip, node: 'i-a', eventId: 'e-1', seq: 1, sentAtMs: START, atMs: START };
    await timeline.probe(probe);
    await timeline.probe(probe);
    expect(await probes(vip)).toBe(1);
  });
}
