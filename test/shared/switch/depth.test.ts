// How many AWS round trips follow on each other before traffic moves. The plain case is the promise of
// docs/architecture.md; the others are what they cost more, and why.
import { describe, expect, test } from 'vitest';
import { handleClaim, type ReceivedClaim } from '../../../shared/controller/handle-claim.ts';
import { reconcile } from '../../../shared/controller/reconcile.ts';
import { Fault } from '../../../shared/fault.ts';
import { prefetchMemory } from '../../../shared/rate-limit/prefetch-memory.ts';
import { durationMs, plus, seconds } from '../../../shared/time.ts';
import { type Counter, counter } from '../../support/depth.ts';
import {
  anyNode,
  change,
  finish,
  heard,
  item,
  memberOf,
  owned,
  routeTo,
  START,
  says,
  targets,
  V4,
  V6,
  type Words,
  type World,
} from '../../support/world.ts';

const told = (w: World, node: string, words: Words = {}): ReceivedClaim =>
  heard(node, { atMs: w.clock.now() - START, ...words });
const counts = async (w: World, heardNow: ReceivedClaim, latencies = {}, pages = {}): Promise<Counter> => {
  const counted = counter(w, latencies, pages);
  await finish(w, handleClaim(counted.ports, heardNow, anyNode));
  return counted;
};

/** A lease that its holder will not come back for, and how long it is live yet. */
function deadHolder(w: World, liveForMs: number): void {
  const expiresAtMs = plus(w.clock.now(), durationMs(liveForMs - 200));
  const cause = { kind: 'claim', why: 'crashed', atMs: START } as const;
  const lease = { holder: 'crashed', epoch: item(w).epoch + 1, expiresAtMs, cause };
  change(w, { epoch: lease.epoch, lease, open: { crashed: { epoch: lease.epoch, cause } } });
}

/** The same VIP in an execution environment that has met nothing. */
const cold = (w: World): World => ({ ...w, ports: { ...w.ports, prefetchMemory: prefetchMemory() } });

/** Claims for VIPs that do not exist, one after the other. */
async function flood(w: World, claims: number): Promise<void> {
  for (let n = 0; n < claims; n++)
    await finish(w, handleClaim(w.ports, told(w, 'i-b', { over: { vip: `none-${n}` } }), anyNode));
}

interface Case {
  readonly name: string;
  readonly depth: number;
  readonly why: string;
  readonly run: (w: World) => Promise<Counter>;
}

const cases: readonly Case[] = [
  {
    name: 'plain',
    depth: 2,
    why: 'lease and record in one write in parallel with the describes; all mutations at once',
    run: (w) => counts(w, told(w, 'i-b')),
  },
  {
    name: 'plain, cold',
    depth: 2,
    why: 'an environment that has met no VIP may ask for three in advance',
    run: (w) => counts(cold(w), told(w, 'i-b')),
  },
  {
    name: 'plain, cold, the third claim since',
    depth: 2,
    why: 'two were for VIPs that do not exist',
    run: async (w) => {
      const c = cold(w);
      await flood(c, 2);
      return counts(c, told(w, 'i-b'));
    },
  },
  {
    name: 'plain, cold, beside a flood of claims for VIPs that do not exist',
    depth: 3,
    why: 'nothing is asked in advance any more for a VIP that was not met',
    run: async (w) => {
      const c = cold(w);
      await flood(c, 100);
      return counts(c, told(w, 'i-b'));
    },
  },
  {
    name: 'plain, beside a flood of claims for VIPs that do not exist',
    depth: 2,
    why: 'the VIP was met',
    run: async (w) => {
      await flood(w, 100);
      return counts(w, told(w, 'i-b'));
    },
  },
  {
    name: 'missing route',
    depth: 2,
    why: 'the describe shows that it is missing, so CreateRoute is sent at once',
    run: (w) => {
      const { [V4]: _gone, ...routes } = w.ec2.tables.get('rtb-1')!.routes;
      w.ec2.tables.set('rtb-1', { ...w.ec2.tables.get('rtb-1')!, routes });
      return counts(w, told(w, 'i-b'));
    },
  },
  {
    name: 'route that went missing after the describe',
    depth: 3,
    why: 'ReplaceRoute is refused, then CreateRoute',
    run: (w) => {
      const real = { ...w.ports.ec2 };
      w.ports.ec2.observe = async (scope) => {
        const seen = await real.observe(scope);
        if (w.ec2.tables.get('rtb-1')!.routes[V4]?.target === memberOf('i-a').eni) {
          const { [V4]: _gone, ...routes } = w.ec2.tables.get('rtb-1')!.routes;
          w.ec2.tables.set('rtb-1', { ...w.ec2.tables.get('rtb-1')!, routes });
        }
        return seen;
      };
      return counts(w, told(w, 'i-b'));
    },
  },
  {
    name: '101 to 200 tables',
    depth: 3,
    why: 'DescribeRouteTables gives a hundred a page, and the next page needs the token of the one before',
    run: (w) => counts(w, told(w, 'i-b'), {}, { 'ec2.observe': 2 }),
  },
  {
    name: 'unknown node',
    depth: 3,
    why: 'the write is refused; the describe at the same time shows the ENI; the lease is taken, then the mutations',
    run: (w) => {
      change(w, { members: { 'i-a': memberOf('i-a') } });
      return counts(w, told(w, 'i-b'));
    },
  },
  {
    name: 'lost reply of the acquire',
    depth: 3,
    why: 'a consistent read shows that the lease is ours',
    run: (w) => {
      const real = { ...w.vips };
      w.vips.recordClaim = async (telling, now) => {
        await real.recordClaim(telling, now);
        throw new Fault('unknown', 'TimeoutError', 'socket hang up');
      };
      return counts(w, told(w, 'i-b'));
    },
  },
  {
    name: 'custom labels, cold',
    depth: 3,
    why: 'the describe under the default labels was not needed; the write’s answer names the right ones',
    run: (w) => {
      for (const [id, table] of w.ec2.tables) {
        if (table.label === 'web') w.ec2.tables.set(id, { ...table, label: 'edge' });
      }
      change(w, { tableLabels: ['edge'] });
      return counts(cold(w), told(w, 'i-b'));
    },
  },
  {
    name: 'custom labels, warm',
    depth: 2,
    why: 'the sandbox remembers the labels',
    run: (w) => {
      for (const [id, table] of w.ec2.tables) {
        if (table.label === 'web') w.ec2.tables.set(id, { ...table, label: 'edge' });
      }
      change(w, { tableLabels: ['edge'] });
      w.ports.prefetchMemory.meet(item(w));
      return counts(w, told(w, 'i-b'));
    },
  },
  {
    name: 'slow describes, stored view',
    depth: 3,
    why: 'after a second the view that reconcile stored is read',
    run: async (w) => {
      w.vips.views.set('web', await w.ec2.observe(item(w)));
      return counts(w, told(w, 'i-b'), { 'ec2.observe': seconds(5) });
    },
  },
  {
    name: 'held lease, its holder dead',
    depth: 5,
    why: 'refused; recorded all the same; looked again (once for each 200 ms that it still lives); taken; mutations',
    run: (w) => {
      deadHolder(w, 150);
      return counts(w, told(w, 'i-b'));
    },
  },
  {
    name: 'dead lease',
    depth: 2,
    why: 'an expired lease is taken like a free one',
    run: (w) => {
      deadHolder(w, 0);
      return counts(w, told(w, 'i-b'));
    },
  },
  {
    name: 'the owner steps down',
    depth: 3,
    why: 'recorded without a lease, since most such claims move nothing; the lease in parallel with the describes; mutations',
    run: async (w) => {
      await says(w, 'i-b', { kind: 'assertion', sinceMs: -5000 });
      return counts(w, told(w, 'i-a', { state: 'BACKUP' }));
    },
  },
];

describe('sequential round trips before the last mutation is sent', () => {
  for (const { name, depth, why, run } of cases) {
    test(`${name}: ${depth}. ${why}`, async () => {
      expect((await run(await owned())).toLastMutation()).toBe(depth);
    });
  }

  test('all of these move the VIP: a case that moves nothing would be shallow for the wrong reason', async () => {
    for (const { name, run } of cases) {
      const w = await owned();
      const { calls } = await run(w);
      expect([name, item(w).owner]).toEqual([name, 'i-b']);
      expect(calls.filter((c) => c.name === 'ec2.apply').length).toBeGreaterThanOrEqual(9);
    }
  });

  test('what a live holder does for a claim that came meanwhile costs the claim no mutation of its own', async () => {
    const w = await owned();
    const [first, second] = [counter(w), counter(w)];
    const holder = handleClaim(first.ports, told(w, 'i-b'), anyNode);
    await w.clock.advance(durationMs(15));
    const later = handleClaim(second.ports, told(w, 'i-a', { atMs: 13_000 }), anyNode);
    const [held, waited] = await finish(w, Promise.all([holder, later]));
    expect([held.answer, waited.answer]).toEqual(['switched', 'recorded']);
    expect(second.toLastMutation()).toBe(0);
    expect([item(w).owner, targets(w)]).toEqual(['i-a', [memberOf('i-a').eni]]);
  });

  test('reconcile is in no hurry: it repairs drift with few calls, one after the other', async () => {
    const w = await owned();
    await finish(w, reconcile(w.ports, item(w)));
    routeTo(w, 'rtb-1', V6, { target: memberOf('i-b').eni });
    const counted = counter(w);
    await finish(w, reconcile(counted.ports, item(w)));
    expect(counted.toLastMutation()).toBeLessThanOrEqual(6);
    expect(targets(w)).toEqual([memberOf('i-a').eni]);
  });
});

describe('the plain case, call by call', () => {
  test('one write beside one look, then nothing but the mutations and the intent, then the rest', async () => {
    const w = await owned();
    const { calls } = await counts(w, told(w, 'i-b'));
    const at = (depth: number) => calls.filter((c) => c.depth === depth).map((c) => c.name);
    expect(at(1).sort()).toEqual(['ec2.observe', 'vips.recordClaim']);
    expect(new Set(at(2))).toEqual(new Set(['ec2.apply', 'timeline.put']));
    expect(at(3).sort()).toEqual(['ec2.observe', 'vips.read']);
    expect([at(4), at(5), at(6)]).toEqual([['timeline.put'], ['vips.write'], ['bus.finished']]);
  });
});

describe('claims that cannot change the owner', () => {
  const assertion = { kind: 'assertion', sinceMs: 0 } as const;

  test('an assertion of the owner is one DynamoDB write, and no EC2 call', async () => {
    const w = await owned();
    await w.clock.advance(seconds(10));
    expect((await counts(w, told(w, 'i-a', assertion))).counts()).toEqual({ 'vips.recordClaim': 1 });
  });

  test('two writes within 15 s of the transition, where it tightens the bound: DynamoDB has no min()', async () => {
    const w = await owned();
    // Stamped in the transition's second but one, half a second of it gone by the node's own uptime.
    await w.clock.advance(durationMs(1500));
    expect((await counts(w, told(w, 'i-a', assertion))).counts()).toEqual({
      'vips.recordClaim': 1,
      'vips.write': 1,
    });
  });

  test('so is a lower-advert, and an assertion of a BACKUP that is not the owner', async () => {
    const w = await owned();
    await says(w, 'i-b', { state: 'BACKUP' });
    await w.clock.advance(seconds(60));
    const words = { kind: 'assertion', state: 'BACKUP', sinceMs: 10_000 } as const;
    expect((await counts(w, told(w, 'i-b', words))).counts()).toEqual({ 'vips.recordClaim': 1 });
    const advert = { kind: 'lower-advert', sinceMs: 0 } as const;
    expect((await counts(w, told(w, 'i-a', advert))).counts()).toEqual({ 'vips.recordClaim': 1 });
  });

  test('and a BACKUP transition of a node that is not the owner', async () => {
    const w = await owned();
    expect((await counts(w, told(w, 'i-b', { state: 'BACKUP' }))).counts()).toEqual({
      'vips.recordClaim': 1,
    });
  });

  test('an hour of assertions stays one write each: the evidence is a set that prunes itself', async () => {
    const w = await owned();
    let [writes, others] = [0, 0];
    for (let n = 0; n < 360; n++) {
      await w.clock.advance(seconds(10));
      const { calls } = await counts(w, told(w, 'i-a', assertion));
      writes += calls.filter((c) => c.name === 'vips.recordClaim').length;
      others += calls.filter((c) => c.name !== 'vips.recordClaim').length;
    }
    expect(writes).toBe(360);
    expect(others).toBeLessThan(10);
  });
});

describe('the counter', () => {
  test('sees a look that is awaited before the write: one deeper', async () => {
    const w = await owned();
    const counted = counter(w);
    const real = { ...counted.ports.vips };
    counted.ports.vips.recordClaim = async (telling, now) => {
      await counted.ports.vips.read('web');
      return real.recordClaim(telling, now);
    };
    await finish(w, handleClaim(counted.ports, told(w, 'i-b'), anyNode));
    expect(counted.toLastMutation()).toBe(3);
  });
});
