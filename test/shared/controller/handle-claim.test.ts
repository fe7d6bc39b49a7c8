import { describe, expect, test } from 'vitest';
import { type Answer, handleClaim, type ReceivedClaim } from '../../../shared/controller/handle-claim.ts';
import { Fault, type FaultKind } from '../../../shared/fault.ts';
import { epochMs, hours, minutes, seconds } from '../../../shared/time.ts';
import { LEASE_TTL } from '../../../shared/vip/lease.ts';
import {
  ACCOUNT,
  addNode,
  anyNode,
  change,
  claimOf,
  finish,
  heard,
  item,
  memberOf,
  outcomesOf,
  owned,
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

describe('a MASTER', () => {
  test('gets every labelled table and the EIP; every other table and route stays as it is', async () => {
    const w = await owned();
    const others = () => [
      w.ec2.tables.get('rtb-other'),
      [...w.ec2.tables.values()].map((t) => t.routes['0.0.0.0/0']),
    ];
    const before = others();
    const answer = await says(w, 'i-b');
    expect(answer).toMatchObject({ answer: 'switched', failovers: [{ outcome: 'switched', from: 'i-a' }] });
    expect(targets(w)).toEqual([B.eni]);
    expect(w.ec2.eips.get('eipalloc-1')).toMatchObject({ eni: B.eipEni });
    expect(others()).toEqual(before);
  });

  test('leaves each node’s own public address where it is', async () => {
    const w = await owned();
    const own = { eip: 'eipalloc-own', publicAddress: '198.51.100.7', eni: B.eipEni };
    const [first] = w.ec2.enis.get(B.eipEni)!.privateAddresses;
    w.ec2.eips.set('eipalloc-own', { ...own, privateAddress: first! });
    await says(w, 'i-b');
    expect(w.ec2.eips.get('eipalloc-own')).toEqual({ ...own, privateAddress: first });
    expect(w.ec2.eips.get('eipalloc-1')).toMatchObject({ eni: B.eipEni });
  });

  test('delivered again moves nothing and leaves no failover behind', async () => {
    const w = await owned();
    const told = heard('i-b', { atMs: now(w) });
    await finish(w, handle(w, told));
    const [effects, entries] = [w.ec2.effects.length, w.timeline.entries.length];
    for (const _delivery of [1, 2, 3]) {
      expect(await finish(w, handle(w, told))).toMatchObject({ answer: 'recorded', news: false });
    }
    expect([w.ec2.effects.length, w.timeline.entries.length]).toEqual([effects, entries]);
  });

  test('that is old and comes late moves nothing, and begins no epoch: it enters as silent', async () => {
    const w = await owned();
    await says(w, 'i-b');
    await w.clock.advance(minutes(30));
    const old = claimOf('i-a', { atMs: 5000, over: { eventId: 'late' } });
    const { epoch } = item(w);
    const answer = await finish(w, handle(w, { claim: old, source: '' }));
    expect(answer.answer).toBe('recorded');
    expect(item(w).epoch).toBe(epoch);
    expect([item(w).owner, targets(w)]).toEqual(['i-b', [B.eni]]);
  });

  test('of a node that no one knew yet is let in when its ENI has the label', async () => {
    const w = await owned();
    addNode(w.ec2, 'i-c');
    expect((await says(w, 'i-c')).answer).toBe('switched');
    expect(targets(w)).toEqual([memberOf('i-c').eni]);
    expect(Object.keys(item(w).members)).toEqual(['i-a', 'i-b', 'i-c']);
  });

  test('of an unknown node, the describes failing, is thrown to be delivered again: a refused claim is a missed failover', async () => {
    const w = await owned();
    w.ports.ec2.observe = () => Promise.reject(new Fault('throttled', 'RequestLimitExceeded', 'slow down'));
    await expect(says(w, 'i-c')).rejects.toThrow('slow down');
    expect(w.timeline.rejections).toEqual([]);
  });
});

describe('many claims at once', () => {
  const nodes = Array.from({ length: 10 }, (_, n) => `i-${String.fromCharCode(97 + n)}`);

  /** Two words of ten nodes, all of them MASTER: twenty transitions, two seconds apart by the nodes’ words. */
  const twenty = Array.from({ length: 20 }, (_, n) => ({
    node: nodes[n % 10]!,
    atMs: n * 2000,
    delivered: heard(nodes[n % 10]!, { atMs: n * 2000 }),
  }));

  for (const [name, order] of [
    ['in order', twenty],
    ['newest first', [...twenty].reverse()],
    ['shuffled', twenty.map((_, n) => twenty[(n * 7) % 20]!)],
  ] as const) {
    test(`${name}: one final owner, epochs strictly rising, no claim missing from the record`, async () => {
      const w = world(nodes);
      await w.clock.advance(seconds(40));
      const answers = await finish(w, Promise.all(order.map((t) => handle(w, t.delivered))));
      expect(answers.map((a) => a.answer).filter((a) => a === 'rejected')).toEqual([]);
      expect(item(w)).toMatchObject({ owner: nodes[9], open: {} });
      expect(item(w).lease).toBeUndefined();
      expect(targets(w)).toEqual([memberOf(nodes[9]!).eni]);
      const newest = twenty.slice(10).map(({ node, delivered }) => [node, delivered.claim.since]);
      expect(Object.entries(item(w).claims).map(([node, s]) => [node, s.since])).toEqual(
        expect.arrayContaining(newest),
      );
      const epochs = outcomesOf(w).map((o) => o.epoch);
      expect(epochs).toEqual(Array.from({ length: item(w).epoch }, (_, n) => n + 1));
    });
  }
});

describe('replies that are lost', () => {
  test('the acquire goes on instead of waiting out its own lease', async () => {
    const w = await owned();
    const real = { ...w.ports.vips };
    w.ports.vips.recordClaim = async (telling, at) => {
      await real.recordClaim(telling, at);
      throw new Fault('unknown', 'TimeoutError', 'socket hang up');
    };
    const began = w.clock.now();
    expect((await says(w, 'i-b')).answer).toBe('switched');
    expect(w.clock.now() - began).toBeLessThan(LEASE_TTL);
    expect([item(w).owner, item(w).epoch]).toEqual(['i-b', 2]);
  });

  test('and so it does when the SDK repeated the write, which was then refused by its own first try', async () => {
    const w = await owned();
    const real = { ...w.ports.vips };
    w.ports.vips.recordClaim = async (telling, at) => {
      await real.recordClaim(telling, at);
      return real.recordClaim(telling, at);
    };
    const began = w.clock.now();
    expect((await says(w, 'i-b')).answer).toBe('switched');
    expect(w.clock.now()).toBe(began);
    expect(item(w)).toMatchObject({ owner: 'i-b', epoch: 2 });
  });

  test('an acquire that was never carried out is tried again', async () => {
    const w = await owned();
    const real = { ...w.ports.vips };
    let tells = 0;
    w.ports.vips.recordClaim = (telling, at) => {
      tells += 1;
      return tells === 1
        ? Promise.reject(new Fault('unknown', 'TimeoutError', 'socket hang up'))
        : real.recordClaim(telling, at);
    };
    expect((await says(w, 'i-b')).answer).toBe('switched');
    expect(item(w).owner).toBe('i-b');
  });

  test('a store that refuses for good is thrown: to throw is to say deliver again', async () => {
    const w = await owned();
    w.ports.vips.recordClaim = () => Promise.reject(new Fault('denied', 'AccessDeniedException', 'no'));
    await expect(says(w, 'i-b')).rejects.toThrow('no');
    expect(targets(w)).toEqual([A.eni]);
  });
});

describe('the record of a node that no one knew yet', () => {
  const backup = heard('i-c', { state: 'BACKUP' });
  function labelled(write: (w: World) => World['vips']['write']): { w: World; tell: () => Promise<Answer> } {
    const w = world();
    addNode(w.ec2, 'i-c');
    const ports = { ...w.ports, vips: { ...w.vips, write: write(w) } };
    return { w, tell: () => finish(w, handleClaim(ports, backup, anyNode)) };
  }
  const failingOnce =
    (kind: FaultKind) =>
    (w: World): World['vips']['write'] => {
      let fails = true;
      return async (was, is) => {
        if (!fails) return w.vips.write(was, is);
        fails = false;
        throw new Fault(kind, 'Code', 'no');
      };
    };

  test('is written again when the reply was lost: merging twice changes nothing', async () => {
    const { w, tell } = labelled(failingOnce('unknown'));
    expect(await tell()).toMatchObject({ answer: 'recorded', news: true });
    expect(item(w).claims['i-c']).toMatchObject({ state: 'BACKUP' });
  });

  test('is thrown when the store refuses it', async () => {
    await expect(labelled(failingOnce('denied')).tell()).rejects.toThrow('no');
  });

  test('is thrown to be delivered again after 40 lost races', async () => {
    let writes = 0;
    const { tell } = labelled(() => async () => {
      writes += 1;
      return undefined;
    });
    await expect(tell()).rejects.toThrow('claim of i-c for web: lost 40 races for the item; deliver again');
    expect(writes).toBe(40);
  });
});

describe('what is no transition of MASTER is recorded first', () => {
  const tell = (w: World, recordClaim: World['vips']['recordClaim']) =>
    finish(
      w,
      handleClaim(
        { ...w.ports, vips: { ...w.vips, recordClaim } },
        heard('i-b', { state: 'BACKUP' }),
        anyNode,
      ),
    );

  test('and is news when its own write made it the present one, which an assertion never is', async () => {
    const w = await owned();
    const atMs = now(w);
    expect(await says(w, 'i-b', { state: 'BACKUP', atMs })).toMatchObject({ answer: 'recorded', news: true });
    const again = { kind: 'assertion', sinceMs: atMs, atMs: atMs + 20_000, state: 'BACKUP' } as const;
    await w.clock.advance(seconds(20));
    expect(await says(w, 'i-b', again)).toMatchObject({ answer: 'recorded', news: false });
  });

  test('and is read when the reply was lost: whose write it was is not known then', async () => {
    const w = await owned();
    const answer = await tell(w, async (write, at) => {
      await w.vips.recordClaim(write, at);
      throw new Fault('unknown', 'TimeoutError', 'socket hang up');
    });
    expect(answer).toMatchObject({ answer: 'recorded', news: false });
    expect(item(w).claims['i-b']).toMatchObject({ state: 'BACKUP' });
  });

  test('and is thrown when the store refuses it', async () => {
    const w = await owned();
    await expect(tell(w, () => Promise.reject(new Fault('denied', 'AccessDenied', 'no')))).rejects.toThrow(
      'no',
    );
  });
});

describe('a switch that an assertion finds due', () => {
  test('is carried out in the next round when another writer was quicker, and its cause says what it was', async () => {
    const w = await owned();
    change(w, { owner: 'i-b' });
    let writes = 0;
    const write: World['vips']['write'] = async (was, is) => {
      writes += 1;
      return writes === 1 ? undefined : w.vips.write(was, is);
    };
    const told = heard('i-a', { kind: 'assertion', sinceMs: 0, atMs: now(w) });
    const answer = await finish(w, handleClaim({ ...w.ports, vips: { ...w.vips, write } }, told, anyNode));
    expect(answer).toMatchObject({ answer: 'switched' });
    expect(item(w).owner).toBe('i-a');
    expect(outcomesOf(w).at(-1)!.cause.why).toBe('i-a said MASTER (assertion)');
  });
});

test('a stranger is refused, and its VIP is still known: the next claim of a member is asked for in advance', async () => {
  const w = await owned();
  expect(await handle(w, heard('i-z'))).toMatchObject({ answer: 'rejected' });
  expect(w.ports.prefetchMemory.scopeOf('web')).toBeDefined();
});

test('of a node that IAM vouches for the record has no word about that', async () => {
  const w = world();
  const told = { ...heard('i-a'), source: 'vipshift.notify/AROAEXAMPLE:i-a' };
  await finish(w, handleClaim(w.ports, told, { mode: 'source', roleId: 'AROAEXAMPLE' }));
  expect(
    outcomesOf(w)[0]!
      .stages.slice(0, 4)
      .map((s) => s.key),
  ).toEqual(['node-reported', 'bus-accepted', 'claim-began', 'described']);
});

test('a probe is recorded with the version of its shim', async () => {
  const w = world();
  await finish(w, handleClaim(w.ports, heard('i-a', { kind: 'probe', over: { shim: '1.2.3' } }), anyNode));
  expect(w.timeline.probes).toMatchObject([{ node: 'i-a', shim: '1.2.3' }]);
});

describe('claims that are no MASTER transition', () => {
  test('the owner’s BACKUP sends the VIP to the node whose last word is MASTER, though that said nothing new', async () => {
    const w = await owned();
    await says(w, 'i-b');
    await w.clock.advance(seconds(10));
    expect((await says(w, 'i-b', { state: 'BACKUP' })).answer).toBe('switched');
    expect([item(w).owner, targets(w)]).toEqual(['i-a', [A.eni]]);
    expect(outcomesOf(w).at(-1)).toMatchObject({ cause: { why: 'i-b said BACKUP' }, to: 'i-a' });
  });

  test('the last node’s STOP moves nothing: with no candidate the VIP stays where it is', async () => {
    const w = await owned();
    expect(await says(w, 'i-a', { state: 'STOP' })).toMatchObject({ answer: 'recorded' });
    expect([item(w).owner, targets(w)]).toEqual(['i-a', [A.eni]]);
  });

  test('an assertion that shows a missed MASTER moves the VIP', async () => {
    const w = await owned();
    expect((await says(w, 'i-b', { kind: 'assertion', sinceMs: 5000 })).answer).toBe('switched');
    expect(item(w).owner).toBe('i-b');
  });
});

describe('the boundaries of time', () => {
  test('a claim is from the future a millisecond after a minute; on the minute it is taken', async () => {
    const w = await owned();
    const stamped = (ms: number) => ({ over: { timeMs: epochMs(w.clock.now() + ms) } });
    expect((await says(w, 'i-b', stamped(60_001))).answer).toBe('rejected');
    expect((await says(w, 'i-b', stamped(60_000))).answer).toBe('switched');
  });

  test('an account or VPC that differs by a character is another one', async () => {
    const w = await owned();
    const other = w.ec2.tables.get('rtb-1')!;
    w.ec2.tables.set('rtb-1', { ...other, account: `${ACCOUNT}0` });
    await says(w, 'i-b');
    expect(w.ec2.tables.get('rtb-1')!.routes[V4]!.target).toBe(A.eni);
    expect(outcomesOf(w).at(-1)!.notes[0]).toMatch(/^left alone: rtb-1 belongs to account/);
  });

  test('a day later the same claim moves nothing: EventBridge may retry for 24 hours', async () => {
    const w = await owned();
    const told = heard('i-a', { atMs: 0 });
    await says(w, 'i-b');
    await w.clock.advance(hours(24));
    expect(await finish(w, handle(w, told))).toMatchObject({ answer: 'recorded', news: false });
    expect(targets(w)).toEqual([B.eni]);
  });
});
