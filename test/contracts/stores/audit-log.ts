// What every AuditLog must do, held against the same records in a list: the model answers by looking at all of them.
//
// Records are drawn so that many fall on one instant, on the ends of the window and on midnight; a page has few of them.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { durationMs, type EpochMs, epochMs, hours, iso, minutes, plus } from '../../../shared/time.ts';
import {
  type OperatorAction,
  type OperatorActionStore,
  operatorAction,
} from '../../../shared/timeline/operator-action.ts';
import {
  type AuditLog,
  type AuditRecord,
  answers,
  hourOf,
  ORDER_SLACK,
  PAGES_MAX,
  type Question,
  type RejectionCount,
} from '../../../shared/timeline/query.ts';
import type { Failover, Timeline } from '../../../shared/timeline/timeline.ts';
import type { CountedReason } from '../../../shared/vip/admission.ts';
import { NO_MEMBER, UNREGISTERED } from '../../../shared/vip/admission.ts';
import { intentOf, outcomeOf, putAll } from '../timeline.ts';

export interface AuditLogUnderTest {
  readonly log: AuditLog;
  readonly timeline: Timeline;
  readonly orders: OperatorActionStore;
  /** Until then an index may lack what was written last. */
  readonly settle: () => void;
}

/** A minute before midnight, UTC. */
const EVE = epochMs(Date.UTC(2026, 10, 22, 23, 59, 0));
const VIPS = ['web', 'db'] as const;
const NODES = ['i-a', 'i-b', 'i-c'] as const;

/** Steps of half a minute with many ties; the window's ends are drawn from the same instants. */
const mostlyNot = <T>(some: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 3 }, { arbitrary: some, weight: 1 });
const tick = fc.constantFrom(0, 0, 0, 30_000, 30_000, 60_000, 3_600_000);
const node = fc.constantFrom(...NODES);
const drawnOutcome = fc.record({
  is: fc.constant('outcome' as const),
  vip: fc.constantFrom(...VIPS),
  afterMs: tick,
  /** An intent comes first; it is no answer to any question. */
  intent: fc.boolean(),
  from: fc.option(node, { nil: undefined, freq: 2 }),
  to: fc.option(node, { nil: undefined, freq: 2 }),
  cause: fc.option(node, { nil: undefined, freq: 2 }),
  outcome: fc.constantFrom('switched', 'switched', 'failed', 'unchanged', 'abandoned'),
});
const drawnOrder = fc.record({
  is: fc.constant('order' as const),
  vip: fc.constantFrom(...VIPS),
  afterMs: tick,
  node: fc.option(node, { nil: undefined, freq: 2 }),
});
const drawnRejection = fc.record({
  is: fc.constant('rejected' as const),
  vip: fc.constantFrom(...VIPS, UNREGISTERED),
  afterMs: tick,
  node: fc.constantFrom(...NODES, NO_MEMBER),
  reason: fc.constantFrom<CountedReason>('malformed', 'not-a-member'),
});
const drawnRecords = fc.array(fc.oneof(drawnOutcome, drawnOutcome, drawnOrder, drawnRejection), {
  minLength: 4,
  maxLength: 24,
});
const kinds = fc.subarray(['outcome', 'order', 'rejected'] as const, { minLength: 1 });
const drawnQuestion = fc.record({
  vip: mostlyNot(fc.constantFrom(...VIPS)),
  node: mostlyNot(node),
  outcomes: mostlyNot(fc.subarray(['switched', 'failed', 'abandoned'] as const, { minLength: 1 })),
  kinds,
  limit: fc.constantFrom(1, 2, 5, 100),
  /** Which of the records' own instants are the ends, and what is added to them. */
  ends: fc.tuple(fc.nat({ max: 30 }), fc.constantFrom(0, 1, 2, 5)),
  addMs: fc.tuple(fc.constantFrom(0, 0, 1), fc.constantFrom(0, 0, 1)),
});

type Drawn = typeof drawnRecords extends fc.Arbitrary<infer T> ? T : never;

/** Writes them, and gives them back as the log has to. */
async function written({ timeline, orders }: AuditLogUnderTest, drawn: Drawn) {
  const records: AuditRecord[] = [];
  const rejections = new Map<string, RejectionCount>();
  const epochs = new Map<string, number>();
  let atMs: EpochMs = EVE;
  for (const [n, one] of drawn.entries()) {
    atMs = plus(atMs, durationMs(one.afterMs));
    if (one.is === 'outcome') {
      const epoch = (epochs.get(one.vip) ?? 0) + 1;
      epochs.set(one.vip, epoch);
      const {
        from: _from,
        to: _to,
        cause,
        ...base
      } = outcomeOf(one.vip, epoch, { atMs, outcome: one.outcome });
      const { node: _node, ...bare } = cause;
      const failover: Failover = {
        ...base,
        cause: one.cause === undefined ? bare : { ...bare, node: one.cause },
        ...(one.from === undefined ? {} : { from: one.from }),
        ...(one.to === undefined ? {} : { to: one.to }),
      };
      if (one.intent) await timeline.put({ ...intentOf(one.vip, epoch), atMs });
      await timeline.put(failover);
      records.push(failover);
    } else if (one.is === 'order') {
      const words = { vip: one.vip, order: 'pin', by: 'ann', reason: `no. ${n}`, atMs } as const;
      const order = operatorAction(one.node === undefined ? words : { ...words, node: one.node }, `n-${n}`);
      await orders.put(order);
      records.push(order);
    } else {
      const hour = iso(atMs).slice(0, 13);
      const { vip, node: of, reason } = one;
      const said = { message: `m ${n}`, example: `e ${n}`, atMs };
      await timeline.reject({ vip, node: of, reason, ...said });
      const key = [vip, of, reason, hour].join();
      const count = (rejections.get(key)?.count ?? 0) + 1;
      rejections.set(key, { entry: 'rejected', vip, node: of, reason, hour, count, ...said });
    }
  }
  return [...records, ...rejections.values()];
}

const nameOf = (record: AuditRecord): string =>
  record.entry === 'outcome'
    ? `${record.vip}/${record.epoch}`
    : record.entry === 'order'
      ? record.id
      : [record.vip, record.hour, record.node, record.reason].join('/');

/** Where no VIP is named a failover is found by the nodes that it went to and from, and by its cause where it went to none. */
function isFound(question: Question, record: AuditRecord): boolean {
  if (!answers(question, record)) return false;
  if (question.vip !== undefined || question.node === undefined || record.entry !== 'outcome') return true;
  return [record.from, record.to ?? record.cause.node].includes(question.node);
}

/** Its ends are instants of records. */
function asked(
  drawn: typeof drawnQuestion extends fc.Arbitrary<infer T> ? T : never,
  all: readonly AuditRecord[],
) {
  const instants = all.map((record) => record.atMs).sort((a, b) => a - b);
  const [n, back] = drawn.ends;
  const [one, other] = [instants[n % instants.length]!, instants.at(-1 - (back % instants.length))!];
  const [add, addTo] = drawn.addMs;
  const { vip, node: of, outcomes, kinds, limit } = drawn;
  const question: Question = {
    ...{ kinds, limit },
    sinceMs: epochMs(Math.min(one, other) + add),
    untilMs: epochMs(Math.max(one, other) + addTo),
    ...(vip === undefined ? {} : { vip }),
    ...(of === undefined ? {} : { node: of }),
    ...(outcomes === undefined ? {} : { outcomes }),
  };
  return question;
}

export function auditLogContract(open: () => Promise<AuditLogUnderTest>, numRuns: number): void {
  it('finds what a look at every record would find: the newest ones up to the limit, each once and whole', async () => {
    const met = { ties: 0, limited: 0, empty: 0, found: 0 };
    await fc.assert(
      fc.asyncProperty(
        drawnRecords,
        fc.array(drawnQuestion, { minLength: 12, maxLength: 12 }),
        async (drawn, questions) => {
          const under = await open();
          const all = await written(under, drawn);
          under.settle();
          for (const one of questions) {
            const question = asked(one, all);
            const wanted = all.filter((record) => isFound(question, record)).sort((a, b) => b.atMs - a.atMs);
            const { records, readBackToMs } = await under.log.find(question);
            const what = JSON.stringify(question);
            expect(readBackToMs, what).toBeUndefined();
            expect(
              records.map((r) => r.atMs),
              what,
            ).toEqual(wanted.slice(0, question.limit).map((r) => r.atMs));
            const byName = new Map(wanted.map((record) => [nameOf(record), record]));
            // Of those that tie at the limit any may answer.
            for (const record of records) expect(record, what).toEqual(byName.get(nameOf(record)));
            expect(new Set(records.map(nameOf)).size, what).toBe(records.length);
            met.found += records.length;
            if (wanted.length === 0) met.empty += 1;
            if (wanted.length > question.limit) met.limited += 1;
            if (new Set(wanted.map((r) => r.atMs)).size < wanted.length) met.ties += 1;
          }
        },
      ),
      { numRuns, endOnFailure: true },
    );
    for (const count of Object.values(met)) expect(count, JSON.stringify(met)).toBeGreaterThan(numRuns / 2);
  });

  it('finds the newest of several rejections of one hour, whichever node’s it is', async () => {
    const { log, timeline, settle } = await open();
    const said = { vip: 'web', reason: 'malformed', message: 'm', example: 'e' } as const;
    const last = plus(EVE, durationMs(1));
    await timeline.reject({ ...said, node: 'i-c', atMs: EVE });
    await timeline.reject({ ...said, node: 'i-a', atMs: last });
    settle();
    const window = { sinceMs: EVE, untilMs: plus(last, durationMs(1)) };
    const question = { vip: 'web', kinds: ['rejected'], limit: 1, ...window } as const;
    expect((await log.find(question)).records).toMatchObject([{ node: 'i-a', atMs: last }]);
  });

  it('knows who was the owner around every instant: the last outcome up to it, the first one after', async () => {
    await fc.assert(
      fc.asyncProperty(drawnRecords, fc.nat(), fc.constantFrom(-1, 0, 1), async (drawn, n, addMs) => {
        const under = await open();
        const all = await written(under, drawn);
        under.settle();
        const atMs = epochMs(all[n % all.length]!.atMs + addMs);
        for (const vip of VIPS) {
          const of = all.filter((record) => record.vip === vip);
          const outcomes = of.filter((r): r is Failover => r.entry === 'outcome');
          const orders = of.filter((r): r is OperatorAction => r.entry === 'order' && r.atMs <= atMs);
          const around = await under.log.around(vip, atMs);
          const before = outcomes.filter((f) => f.atMs <= atMs).toReversed();
          expect(around.before.slice(0, 5)).toEqual(before.slice(0, 5));
          expect(around.after).toEqual(outcomes.find((f) => f.atMs > atMs));
          expect(around.orders.map((o) => o.atMs)).toEqual(orders.map((o) => o.atMs).toReversed());
          expect(around.orders).toEqual(expect.arrayContaining(orders));
        }
      }),
      { numRuns, endOnFailure: true },
    );
  });

  it('gives the entries of one epoch, and one order or rejection by its id, and nothing that only begins so', async () => {
    const { log, timeline, orders, settle } = await open();
    const vip = 'web';
    await timeline.put(intentOf(vip, 1));
    await timeline.put(outcomeOf(vip, 1));
    await timeline.put(outcomeOf(vip, 10));
    const order = operatorAction({ vip, order: 'freeze', by: 'ann', reason: 'why', atMs: EVE }, 'n-1');
    await orders.put(order);
    const said = { reason: 'malformed', message: 'm', example: 'e', atMs: EVE } as const;
    await timeline.reject({ vip, node: 'i-a', ...said });
    settle();
    const { reads, ...entries } = await log.epoch(vip, 1);
    expect([entries, reads]).toEqual([{ intent: intentOf(vip, 1), outcome: outcomeOf(vip, 1) }, 1]);
    expect(await log.epoch(vip, 2)).toEqual({ reads: 1 });
    expect(await log.order(vip, order.id)).toEqual(order);
    expect(await log.order(vip, `order/${iso(EVE)}`)).toEqual(order);
    expect(await log.order(vip, `order/${iso(plus(EVE, minutes(1)))}`)).toBeUndefined();
    expect(await log.order(vip, '000000000010'), 'an outcome is no order').toBeUndefined();
    const id = `${iso(EVE).slice(0, 13)}/i-a/malformed`;
    const { atMs, ...rest } = said;
    const counted = {
      entry: 'rejected',
      vip,
      node: 'i-a',
      hour: iso(EVE).slice(0, 13),
      count: 1,
      ...rest,
      atMs,
    };
    expect(await log.rejection(vip, id)).toEqual(counted);
    expect(await log.rejection('db', id)).toBeUndefined();
  });

  it('gives the newest self-tests, so many as asked', async () => {
    const { log, timeline, settle } = await open();
    const probeAt = (n: number) => ({
      ...{ vip: 'web', node: 'i-a', eventId: `e-${n}`, seq: n, shim: `1.0.${n}` },
      ...{ sentAtMs: plus(EVE, minutes(n)), atMs: plus(EVE, minutes(n)) },
    });
    for (const n of [1, 2, 3, 4]) await timeline.probe(probeAt(n));
    await timeline.probe({ ...probeAt(9), vip: 'web0' });
    settle();
    const found = await log.probes('web', 2);
    expect(found.map(({ eventId, shim }) => [eventId, shim])).toEqual([
      ['e-4', '1.0.4'],
      ['e-3', '1.0.3'],
    ]);
  });

  it('finds an outcome that was recorded late, after newer ones, as far as ORDER_SLACK', async () => {
    const { log, timeline, settle } = await open();
    const late = outcomeOf('web', 1, { outcome: 'abandoned', atMs: plus(EVE, ORDER_SLACK) });
    const newer = [2, 3].map((epoch) => outcomeOf('web', epoch, { atMs: plus(EVE, minutes(epoch)) }));
    for (const one of [late, ...newer]) await timeline.put(one);
    settle();
    for (const outcomes of [undefined, ['abandoned']] as const) {
      const { records } = await log.find({
        ...{ kinds: ['outcome'], limit: 9, vip: 'web' },
        ...{ sinceMs: plus(EVE, ORDER_SLACK), untilMs: plus(EVE, hours(1)) },
        ...(outcomes === undefined ? {} : { outcomes }),
      });
      expect(records).toEqual([late]);
    }
  });

  it('counts a rejection under its whole hour, from whichever minute of it the window begins', async () => {
    const { log, timeline, settle } = await open();
    const said = { vip: 'web', node: 'i-a', reason: 'malformed', message: 'm', example: 'e' } as const;
    await timeline.reject({ ...said, atMs: hourOf(EVE) });
    settle();
    const asking = (sinceMs: EpochMs) =>
      log.find({ kinds: ['rejected'], limit: 9, sinceMs, untilMs: plus(EVE, hours(1)) });
    expect((await asking(EVE)).records).toHaveLength(1);
    expect((await asking(plus(EVE, minutes(1)))).records).toEqual([]);
  });

  it.each([
    ['in all', {}],
    ['of a VIP', { vip: 'web' }],
    ['of an outcome that is rare', { outcomes: ['failed'] }],
    ['of an outcome that a VIP never had', { vip: 'web', outcomes: ['rejected'] }],
  ] as const)('says from when on it has read everything, where it had to stop: %s', async (_what, over) => {
    const { log, timeline, settle } = await open();
    // Six to a millisecond, so that the last page that may be read ends among equals.
    const outcomeAt = (n: number) =>
      outcomeOf('web', n + 1, {
        outcome: n % 50 === 0 ? 'failed' : 'switched',
        atMs: plus(EVE, durationMs(Math.floor(n / 6))),
      });
    const all = Array.from({ length: 3 * PAGES_MAX + 7 }, (_, n) => outcomeAt(n));
    await putAll(timeline, all);
    settle();
    const question: Question = {
      ...{ kinds: ['outcome'], limit: 1000, sinceMs: epochMs(1), untilMs: plus(EVE, minutes(1)) },
      ...over,
    };
    const { records, readBackToMs } = await log.find(question);
    expect(readBackToMs).toBeDefined();
    const wanted = all.filter((one) => one.atMs >= readBackToMs! && answers(question, one));
    expect(
      records
        .filter((one) => one.atMs >= readBackToMs!)
        .map(nameOf)
        .sort(),
    ).toEqual(wanted.map(nameOf).sort());
  });

  it('has read no further back than the part that stopped first, where several had to', async () => {
    const { log, timeline, orders, settle } = await open();
    const many = 3 * PAGES_MAX + 7;
    const outcomes = Array.from({ length: many }, (_, n) =>
      outcomeOf('web', n + 1, { atMs: plus(EVE, durationMs(n)) }),
    );
    await putAll(timeline, outcomes);
    const lateMs = 2 * ORDER_SLACK;
    const pins = Array.from({ length: many }, (_, n) => {
      const words = { vip: 'web', order: 'pin', by: 'ann', reason: 'why', node: 'i-a' } as const;
      return operatorAction({ ...words, atMs: plus(EVE, durationMs(lateMs + n)) }, `n-${n}`);
    });
    for (const pin of pins) await orders.put(pin);
    settle();
    const { records, readBackToMs } = await log.find({
      ...{ vip: 'web', kinds: ['outcome', 'order'], limit: 1000 },
      ...{ sinceMs: EVE, untilMs: plus(EVE, hours(1)) },
    });
    expect(readBackToMs! - EVE).toBeGreaterThan(lateMs);
    const wanted = pins.filter(({ atMs }) => atMs >= readBackToMs!);
    const found = records.filter(({ atMs }) => atMs >= readBackToMs!);
    expect(found.map(nameOf).sort()).toEqual(wanted.map(nameOf).sort());
  });

  it('goes on to the next page where the records around an instant do not fit one', async () => {
    const { log, timeline, settle } = await open();
    for (const epoch of [1, 2, 3, 4, 5]) {
      const atMs = plus(EVE, minutes(epoch));
      await timeline.put({ ...intentOf('web', epoch), atMs });
      await timeline.put(outcomeOf('web', epoch, { atMs }));
    }
    settle();
    const { before, after } = await log.around('web', plus(EVE, minutes(3)));
    expect([before.map((f) => f.epoch), after?.epoch]).toEqual([[3, 2, 1], 4]);
  });
}
