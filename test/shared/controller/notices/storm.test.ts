// A node that flaps, claim by claim, through the real failover function: what it costs, and who is told.
import { describe, expect, test } from 'vitest';
import { rowOf } from '../../../../cli/timeline/rows.ts';
import { isWell, statusOf } from '../../../../shared/controller/status/status.ts';
import type { FailoverOrder } from '../../../../shared/forced-failover/order.ts';
import { preflight } from '../../../../shared/forced-failover/preflight.ts';
import { durationMs, plus, seconds } from '../../../../shared/time.ts';
import type { AuditRecord } from '../../../../shared/timeline/query.ts';
import { FLAP_WINDOW, FLAPS_MIN, FLAPS_STORED_MAX } from '../../../../shared/vip/flapping.ts';
import {
  item,
  memberOf,
  outcomesOf,
  owned,
  reconciles,
  START,
  says,
  targets,
  type World,
} from '../../../support/world.ts';

const [A, B] = [memberOf('i-a'), memberOf('i-b')];

/** `i-a` is the steady master; `i-b` says MASTER and BACKUP in turn, once a second. */
async function flaps(w: World, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await says(w, 'i-b', { state: n % 2 === 0 ? 'MASTER' : 'BACKUP' });
    await w.clock.advance(seconds(1));
    if (n % 8 === 7) await says(w, 'i-a', { kind: 'assertion', sinceMs: 0 });
  }
}

/** The last of so many transitions makes it MASTER for the FLAPS_MIN-th time. */
const DAMPS = 2 * FLAPS_MIN - 1;

const epochsOf = (w: World): number => item(w).epoch;

describe('a node that flaps', () => {
  test('moves the VIP no more once it is damped: no epoch, no EC2 call, whatever it says', async () => {
    const w = await owned();
    await flaps(w, DAMPS);
    const epochs = epochsOf(w);
    let observed = 0;
    const observe = w.ec2.observe.bind(w.ec2);
    w.ec2.observe = (scope) => {
      observed += 1;
      return observe(scope);
    };
    await flaps(w, 193);
    expect(epochsOf(w)).toBe(epochs);
    expect(observed, 'a VIP that is met is looked at in advance at most once more').toBeLessThanOrEqual(1);
    expect([item(w).owner, targets(w)]).toEqual(['i-a', [A.eni]]);
  });

  test('is announced once; of the failovers before people were told, and of those after its end they are again', async () => {
    const w = await owned();
    const told = () => w.published.filter((failover) => failover.flapping === undefined).length;
    await flaps(w, 200);
    expect(w.storms).toMatchObject([{ vip: 'web', node: 'i-b', transitions: FLAPS_MIN }]);
    expect(told()).toBeLessThanOrEqual(DAMPS);
    const before = told();
    await w.clock.advance(FLAP_WINDOW);
    await says(w, 'i-b', { state: 'MASTER' });
    expect([told(), w.storms.length, targets(w)]).toEqual([before + 1, 1, [B.eni]]);
  });

  test('is announced again in the next storm', async () => {
    const w = await owned();
    await flaps(w, 20);
    await w.clock.advance(FLAP_WINDOW);
    await flaps(w, 20);
    expect(w.storms).toHaveLength(2);
  });

  test('gets no announcement twice: not from a claim that is delivered again, nor from an assertion of the last transition', async () => {
    const w = await owned();
    await flaps(w, DAMPS);
    const nowMs = w.clock.now() - START;
    await says(w, 'i-b', { state: 'MASTER', kind: 'assertion', atMs: nowMs, sinceMs: nowMs - 1000 });
    await says(w, 'i-b', { state: 'MASTER', atMs: nowMs - 1000 });
    expect(item(w).transitions!['i-b']).toHaveLength(FLAPS_MIN);
    expect(w.storms).toHaveLength(1);
  });

  test('is heard all the same: its state is recorded, and what is stored of it stays bounded', async () => {
    const w = await owned();
    await flaps(w, 201);
    expect(item(w).claims['i-b']).toMatchObject({ state: 'MASTER' });
    expect(item(w).transitions!['i-b']!.length).toBeLessThanOrEqual(FLAPS_STORED_MAX);
    await w.clock.advance(seconds(200));
    await reconciles(w);
    expect(item(w)).not.toHaveProperty('transitions');
  });

  test('a bus that does not take the announcement hurts nothing', async () => {
    const w = await owned();
    Object.assign(w.ports.bus, { flapping: () => Promise.reject(new Error('no')) });
    await flaps(w, 20);
    expect(item(w).owner).toBe('i-a');
  });

  test('a mistake of ours in the announcement is thrown, not taken for a bus that is down', async () => {
    const w = await owned();
    Object.assign(w.ports.bus, { flapping: () => Promise.reject(new TypeError('ours')) });
    await expect(flaps(w, 20)).rejects.toThrow('ours');
  });

  test('keeps the VIP from moving to it only until reconcile finds its damping over: no claim is needed', async () => {
    const w = await owned();
    await flaps(w, 7);
    expect((await reconciles(w)).flapping).toMatchObject([{ node: 'i-b' }]);
    expect(item(w).owner).toBe('i-a');
    await w.clock.advance(FLAP_WINDOW);
    const { flapping, switched } = await reconciles(w);
    expect([flapping, switched?.vip.owner, targets(w)]).toEqual([[], 'i-b', [B.eni]]);
  });
});

describe('a storm is seen', () => {
  test('in status: health, the node, and until when it is damped; no longer when it is over', async () => {
    const w = await owned();
    await flaps(w, 8);
    const status = async () => statusOf(item(w), await w.ec2.observe(item(w)), w.clock.now());
    const during = await status();
    expect([during.health, isWell(during)]).toEqual(['flapping', false]);
    expect(during.why).toMatch(/^i-b flaps: it became MASTER 4 times or more since /);
    const untilMs = during.flapping[0]!.untilMs;
    expect(during.claims.map(({ node, dampedUntilMs }) => [node, dampedUntilMs])).toEqual([
      ['i-a', undefined],
      ['i-b', untilMs],
    ]);
    await w.clock.advance(FLAP_WINDOW);
    expect((await status()).flapping).toEqual([]);
  });

  test('in the timeline: the record, its row and a note name the node', async () => {
    const w = await owned();
    await flaps(w, DAMPS);
    await says(w, 'i-a', { state: 'FAULT' });
    await says(w, 'i-b', { state: 'MASTER' });
    const record = outcomesOf(w).at(-1)!;
    expect(record).toMatchObject({ flapping: ['i-b'], to: 'i-b' });
    expect(record.notes).toContainEqual(expect.stringMatching(/^i-b flaps: /));
    expect(rowOf(record as AuditRecord, { zone: 'UTC' }).at(-1)).toMatch(/; damped: i-b$/);
  });

  test('by who orders a failover to it: the preflight refuses, unless it is pinned there', async () => {
    const w = await owned();
    await flaps(w, 8);
    const order = {
      ...{ vip: 'web', to: 'i-b', by: 'ops', reason: 'test' },
      ...{ mode: 'via-keepalived', pinMinutes: 0 },
    };
    const reasons = async () =>
      preflight(item(w), await w.ec2.observe(item(w)), order as FailoverOrder, { now: w.clock.now() })
        .reasons;
    expect(await reasons()).toEqual([expect.stringMatching(/^i-b flaps: .*; or pin it first$/)]);
    const pin = { node: 'i-b', untilMs: plus(w.clock.now(), seconds(60)), by: 'ops', reason: 'test' };
    w.vips.items.set('web', { ...item(w), pin });
    expect(await reasons()).toEqual([]);
  });
});

describe('damping never keeps the VIP', () => {
  test.each(['FAULT', 'STOP', 'DELETED'] as const)('at an owner that says %s', async (state) => {
    const w = await owned();
    await flaps(w, 7);
    expect([item(w).owner, targets(w)]).toEqual(['i-a', [A.eni]]);
    await says(w, 'i-a', { state });
    expect([item(w).owner, targets(w)]).toEqual(['i-b', [B.eni]]);
  });

  test('at an owner that is dead: it reports no more, and the node that flaps does', async () => {
    const w = await owned();
    await flaps(w, 7);
    await w.clock.advance(durationMs(1));
    // Its last word was MASTER; it flaps on.
    const lastMs = w.clock.now();
    while (item(w).owner === 'i-a' && w.clock.now() - lastMs < 80_000) {
      await says(w, 'i-b', { state: 'BACKUP' });
      await w.clock.advance(seconds(1));
      await says(w, 'i-b', { state: 'MASTER' });
      await w.clock.advance(seconds(1));
    }
    expect(item(w).owner).toBe('i-b');
    expect(w.clock.now() - lastMs).toBeLessThan(40_000);
  });

  test('with hold master at one that does not say MASTER: the VIP follows each time, and no one is told each time', async () => {
    const w = await owned();
    w.vips.items.set('web', { ...item(w), hold: 'master' });
    await says(w, 'i-a', { state: 'BACKUP' });
    await flaps(w, 7);
    expect(item(w).owner).toBe('i-b');
    const [epochs, storms] = [epochsOf(w), w.storms.length];
    await says(w, 'i-b', { state: 'BACKUP' });
    await says(w, 'i-a', { state: 'MASTER' });
    await w.clock.advance(seconds(1));
    await says(w, 'i-a', { state: 'BACKUP' });
    await says(w, 'i-b', { state: 'MASTER' });
    expect([item(w).owner, epochsOf(w) - epochs, w.storms.length - storms]).toEqual(['i-b', 2, 0]);
    expect(outcomesOf(w).at(-1)).toMatchObject({ flapping: ['i-b'], outcome: 'switched' });
  });
});
