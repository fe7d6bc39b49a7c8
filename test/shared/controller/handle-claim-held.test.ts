// Claims that meet a lease: a living holder's, a dead one's, and one that has to last for long.
import { describe, expect, test } from 'vitest';
import { handleClaim, type ReceivedClaim } from '../../../shared/controller/handle-claim.ts';
import { durationMs, plus, seconds } from '../../../shared/time.ts';
import { LEASE_TTL, SKEW } from '../../../shared/vip/lease.ts';
import { withLease } from '../../../shared/vip/vip.ts';
import {
  addNode,
  addTable,
  anyNode,
  change,
  finish,
  heard,
  item,
  memberOf,
  outcomesOf,
  owned,
  routeTo,
  START,
  says,
  targets,
  V4,
  type World,
  world,
} from '../../support/world.ts';

const [A, B] = [memberOf('i-a'), memberOf('i-b')];
const handle = (w: World, told: ReceivedClaim) => handleClaim(w.ports, told, anyNode);
const now = (w: World): number => w.clock.now() - START;

describe('a lease that is held', () => {
  /** Someone took the lease for node a and is gone. */
  async function crashed(): Promise<World> {
    const w = world();
    const w2 = { ...w.ports, ec2: { ...w.ec2, apply: () => new Promise<never>(() => undefined) } };
    void handleClaim(w2, heard('i-a'), anyNode);
    await w.clock.advance(durationMs(1));
    return w;
  }

  test('of a holder that crashed is waited out and taken; its epoch is closed as abandoned', async () => {
    const w = await crashed();
    await w.clock.advance(seconds(3));
    await says(w, 'i-b');
    expect(w.clock.now()).toBeGreaterThanOrEqual(plus(START, durationMs(LEASE_TTL + SKEW)));
    expect(w.clock.now()).toBeLessThan(plus(START, durationMs(LEASE_TTL + SKEW + 500)));
    expect(outcomesOf(w).map((o) => [o.epoch, o.outcome, o.cause.node])).toEqual([
      [1, 'abandoned', 'i-a'],
      [2, 'switched', 'i-b'],
    ]);
    expect([item(w).owner, item(w).open, targets(w)]).toEqual(['i-b', {}, [B.eni]]);
  });

  test('loses no claim: a BACKUP is recorded next to it and does not wait', async () => {
    const w = await crashed();
    const began = w.clock.now();
    expect(await says(w, 'i-b', { state: 'BACKUP' })).toMatchObject({ answer: 'recorded', news: true });
    expect(w.clock.now()).toBe(began);
    expect(item(w).claims['i-b']).toMatchObject({ state: 'BACKUP' });
  });

  test('by a living holder: it sees the claim at its release and follows it under a new epoch', async () => {
    const w = await owned();
    const [first, second] = [heard('i-b', { atMs: now(w) }), heard('i-a', { atMs: now(w) + 2500 })];
    const answers = await finish(w, Promise.all([handle(w, first), handle(w, second)]));
    expect(answers.map((a) => a.answer)).toEqual(['switched', 'recorded']);
    expect(outcomesOf(w).map((o) => [o.epoch, o.outcome, o.to])).toEqual([
      [1, 'switched', 'i-a'],
      [2, 'superseded', 'i-b'],
      [3, 'switched', 'i-a'],
    ]);
    expect(targets(w)).toEqual([A.eni]);
  });
});

describe('a storm of one node beside a held lease', () => {
  interface Storm {
    readonly w: World;
    /** Invocations that were begun and have not answered. */
    going(): number;
    reads(): number;
    tell(told: ReceivedClaim): void;
  }
  const storm = async (nodes?: readonly string[]): Promise<Storm> => {
    const w = await owned(nodes);
    const cause = { kind: 'claim', why: 'a long plan', atMs: START } as const;
    const expiresAtMs = plus(w.clock.now(), seconds(60));
    change(w, withLease(item(w), { holder: 'holder', expiresAtMs, cause }));
    let [going, reads] = [0, 0];
    const vips = {
      ...w.vips,
      read: (name: string) => {
        reads += 1;
        return w.vips.read(name);
      },
    };
    const ended = () => {
      going -= 1;
    };
    const tell = (told: ReceivedClaim) => {
      going += 1;
      void handleClaim({ ...w.ports, vips }, told, anyNode).then(ended, ended);
    };
    return { w, going: () => going, reads: () => reads, tell };
  };
  const settled = async ({ w }: Storm) => w.clock.advance(durationMs(400));

  test('300 transitions in 6 s: one invocation waits, that of the newest, and the others cost a few reads each', async () => {
    const s = await storm();
    const waiting: number[] = [];
    for (let n = 0; n < 300; n++) {
      s.tell(heard('i-b', { atMs: now(s.w) }));
      await s.w.clock.advance(durationMs(20));
      waiting.push(s.going());
    }
    // Each looks once more before it sees that it is replaced; ten are delivered within that time.
    expect(Math.max(...waiting)).toBeLessThanOrEqual(11);
    expect(s.reads()).toBeLessThanOrEqual(330);
    await settled(s);
    expect(s.going()).toBe(1);
    const before = s.reads();
    await s.w.clock.advance(seconds(10));
    expect(s.reads() - before).toBe(50);
  });

  test('one event, delivered 100 times at once: one invocation waits', async () => {
    const s = await storm();
    for (let n = 0; n < 100; n++) s.tell(heard('i-b', { atMs: now(s.w) }));
    await settled(s);
    expect(s.going()).toBe(1);
  });

  test('one transition, reported 100 times with other uptimes and priorities: one invocation waits', async () => {
    const s = await storm();
    for (let n = 0; n < 100; n++) {
      const { claim, source } = heard('i-b', { atMs: now(s.w), priority: n });
      s.tell({ claim: { ...claim, uptimeMs: claim.uptimeMs + n, eventId: `event ${n}` }, source });
      await s.w.clock.advance(durationMs(1));
    }
    await settled(s);
    expect(s.going()).toBe(1);
  });

  test('every member has one that waits, and the newest MASTER takes the VIP when the holder is gone', async () => {
    const s = await storm(['i-a', 'i-b', 'i-c']);
    for (let n = 0; n < 20; n++) {
      for (const node of ['i-a', 'i-b', 'i-c']) s.tell(heard(node, { atMs: now(s.w) }));
      await s.w.clock.advance(durationMs(20));
    }
    await settled(s);
    expect(s.going()).toBe(3);
    await s.w.clock.advance(seconds(65));
    expect([s.going(), item(s.w).lease]).toEqual([0, undefined]);
    expect(targets(s.w)).toEqual([memberOf(item(s.w).owner!).eni]);
  });
});

describe('what a crash left behind', () => {
  const cause = { kind: 'claim', why: 'crashed', atMs: START } as const;
  const assertion = { kind: 'assertion', sinceMs: 0 } as const;

  test('a dead lease is cleared by the next claim, though it moves nothing', async () => {
    const w = await owned();
    const lease = { holder: 'gone', epoch: 2, expiresAtMs: plus(w.clock.now(), durationMs(0 - SKEW)), cause };
    change(w, { epoch: 2, lease });
    expect((await says(w, 'i-a', assertion)).answer).toBe('switched');
    expect(item(w).lease).toBeUndefined();
  });

  test('so is an epoch that was left open', async () => {
    const w = await owned();
    change(w, { epoch: 2, open: { gone: { epoch: 2, cause } } });
    await says(w, 'i-a', assertion);
    expect(item(w).open).toEqual({});
    expect(outcomesOf(w).map((o) => [o.epoch, o.outcome])).toContainEqual([2, 'abandoned']);
  });
});

test('observes again after waiting for a lease: what it saw before may be a stranger’s by now', async () => {
  const w = await owned();
  const now = w.clock.now();
  const cause = { kind: 'claim', why: 'another switch', atMs: START } as const;
  change(w, withLease(item(w), { holder: 'h', expiresAtMs: plus(now, seconds(9)), cause }));
  addNode(w.ec2, 'i-foreign', 'other');
  const going = handleClaim(w.ports, heard('i-b', { atMs: now - START }), anyNode);
  await w.clock.advance(seconds(7));
  routeTo(w, 'rtb-1', V4, { target: 'eni-i-foreign-service' });
  const { lease: _lease, ...free } = item(w);
  w.vips.items.set('web', { ...free, rev: free.rev + 1, open: {} });
  await finish(w, going);
  expect(w.ec2.tables.get('rtb-1')!.routes[V4]!.target).toBe('eni-i-foreign-service');
  expect(outcomesOf(w).at(-1)!.conflicts).toMatchObject([{ cell: `rtb-1 ${V4}` }]);
});

describe('a long plan', () => {
  test('120 tables: one epoch from the first to the last, the lease prolonged on the way, every table moved', async () => {
    const w = world();
    for (let n = 5; n <= 120; n++) addTable(w.ec2, `rtb-${n}`, 'web');
    change(w, { addresses: [V4] });
    const answer = await says(w, 'i-a');
    expect(w.clock.now() - START).toBeGreaterThan(LEASE_TTL);
    expect(answer).toMatchObject({ answer: 'switched', failovers: [{ epoch: 1, outcome: 'switched' }] });
    expect(item(w)).toMatchObject({ epoch: 1, owner: 'i-a' });
    expect(targets(w)).toEqual([A.eni]);
    expect(outcomesOf(w)).toHaveLength(1);
  });

  test('a claim that comes meanwhile neither takes the lease nor is lost: the holder follows it', async () => {
    const w = world();
    for (let n = 5; n <= 120; n++) addTable(w.ec2, `rtb-${n}`, 'web');
    change(w, { addresses: [V4] });
    const first = handle(w, heard('i-a'));
    await w.clock.advance(seconds(12));
    const second = handle(w, heard('i-b', { atMs: now(w) }));
    const answers = await finish(w, Promise.all([first, second]));
    expect(answers.map((a) => a.answer)).toEqual(['switched', 'recorded']);
    expect(outcomesOf(w).map((o) => [o.epoch, o.outcome, o.to])).toEqual([
      [1, 'superseded', 'i-a'],
      [2, 'switched', 'i-b'],
    ]);
    expect(targets(w)).toEqual([B.eni]);
  });
});
