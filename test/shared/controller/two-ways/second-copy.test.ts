// One transition by two ways: what the second copy costs, and what it is good for.
import { describe, expect, test } from 'vitest';
import { handleClaim } from '../../../../shared/controller/handle-claim.ts';
import { durationMs, plus, seconds } from '../../../../shared/time.ts';
import { LEASE_TTL, SKEW } from '../../../../shared/vip/lease.ts';
import {
  anyNode,
  finish,
  heard,
  item,
  memberOf,
  outcomesOf,
  owned,
  START,
  targets,
  type World,
} from '../../../support/world.ts';

const B = memberOf('i-b');
/** Sent at the same moment; the front ends' clocks differ by 200 ms at most. */
const AT_MS = 10_500;
const copies = (skewMs = 0) => {
  const direct = {
    way: 'direct',
    timeMs: plus(START, durationMs(AT_MS + skewMs)),
    eventId: 'call-1',
  } as const;
  return { bus: heard('i-b', { atMs: AT_MS }), direct: heard('i-b', { atMs: AT_MS, over: direct }) };
};
const at = async (): Promise<World> => {
  const w = await owned();
  await w.clock.advance(durationMs(500));
  return w;
};

/** Counts what is asked of the store, and may stop answering after so many requests, as for an invocation that is killed. */
function counted(w: World, dies = Number.POSITIVE_INFINITY) {
  const asked = { writes: 0, reads: 0, all: 0 };
  const stub = <T extends object>(port: T, kind: 'writes' | 'reads' | 'none'): T =>
    new Proxy(port, {
      get: (of, name) => {
        const method = Reflect.get(of, name) as unknown;
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => {
          asked.all += 1;
          if (asked.all > dies) return new Promise<never>(() => undefined);
          if (kind !== 'none') asked[name === 'read' || name === 'list' ? 'reads' : 'writes'] += 1;
          return Reflect.apply(method, of, args) as unknown;
        };
      },
    });
  const { vips, ec2, timeline } = w.ports;
  const ports = {
    ...w.ports,
    vips: stub(vips, 'writes'),
    ec2: stub(ec2, 'none'),
    timeline: stub(timeline, 'none'),
  };
  return { ports, asked };
}

describe('the second copy of a transition', () => {
  test.each(['bus', 'direct'] as const)(
    '%s first: the record is the same, whichever came first',
    async (first) => {
      const second = first === 'bus' ? 'direct' : 'bus';
      const claims = [];
      for (const order of [
        [first, second],
        [second, first],
      ] as const) {
        const w = await at();
        for (const way of order) await finish(w, handleClaim(w.ports, copies(-200)[way], anyNode));
        claims.push(item(w).claims['i-b']);
      }
      expect(claims[0]).toEqual(claims[1]);
      expect(claims[0]).toMatchObject({ ways: 'both', state: 'MASTER' });
    },
  );

  test('after the failover it is one refused write, one write, no lease, and no move', async () => {
    const w = await at();
    await finish(w, handleClaim(w.ports, copies().direct, anyNode));
    const { effects } = w.ec2;
    const before = effects.length;
    const { ports, asked } = counted(w);
    expect(await finish(w, handleClaim(ports, copies().bus, anyNode))).toMatchObject({ answer: 'recorded' });
    expect(asked).toMatchObject({ writes: 2, reads: 0 });
    expect([effects.length, item(w).epoch, item(w).lease]).toEqual([before, 2, undefined]);
    // A third one has nothing left to say.
    const again = counted(w);
    await finish(w, handleClaim(again.ports, copies().bus, anyNode));
    expect(again.asked).toMatchObject({ writes: 1, reads: 0 });
    expect(outcomesOf(w).map((o) => [o.epoch, o.to])).toEqual([
      [1, 'i-a'],
      [2, 'i-b'],
    ]);
  });

  test('one of many copies keeps a place while the first carrier has the lease, and the others end', async () => {
    const w = await at();
    void handleClaim(counted(w, 3).ports, copies().direct, anyNode);
    await w.clock.advance(durationMs(1));
    expect(item(w).lease?.cause).toMatchObject({ node: 'i-b' });
    let going = 0;
    for (let n = 0; n < 5; n++) {
      going += 1;
      void handleClaim(w.ports, n % 2 === 0 ? copies().bus : copies().direct, anyNode).then(() => {
        going -= 1;
      });
    }
    await w.clock.advance(durationMs(10));
    expect(going).toBe(1);
    await w.clock.advance(durationMs(LEASE_TTL + SKEW + 5000));
    expect([going, targets(w)]).toEqual([0, [B.eni]]);
  });

  test('heals a first carrier that dies at any of its requests, within the lease and a second', async () => {
    const whole = await at();
    const { ports, asked } = counted(whole);
    await finish(whole, handleClaim(ports, copies().direct, anyNode));
    expect(asked.all).toBeGreaterThan(10);
    for (let dies = 0; dies < asked.all; dies++) {
      const w = await at();
      void handleClaim(counted(w, dies).ports, copies().direct, anyNode);
      await w.clock.advance(durationMs(150));
      const began = w.clock.now();
      const second = handleClaim(w.ports, copies().bus, anyNode);
      await finish(w, second);
      expect(targets(w), `killed at request ${dies + 1}`).toEqual([B.eni]);
      expect(w.clock.now() - began).toBeLessThan(LEASE_TTL + SKEW + seconds(1));
      expect(item(w)).toMatchObject({ owner: 'i-b', open: {} });
    }
  });

  test('may be an assertion that the bus delivered before the transition itself', async () => {
    const w = await at();
    void handleClaim(counted(w, 3).ports, copies().direct, anyNode);
    await w.clock.advance(durationMs(1));
    const assertion = heard('i-b', {
      atMs: AT_MS,
      over: { kind: 'assertion', seq: copies().bus.claim.seq + 1 },
    });
    const began = w.clock.now();
    const all = [assertion, copies().bus].map((told) => handleClaim(w.ports, told, anyNode));
    await finish(w, Promise.all(all));
    expect(targets(w)).toEqual([B.eni]);
    expect(w.clock.now() - began).toBeLessThan(LEASE_TTL + SKEW + seconds(1));
  });

  test('the record says by which way the claim came that decided', async () => {
    for (const way of ['bus', 'direct'] as const) {
      const w = await at();
      await finish(w, handleClaim(w.ports, copies()[way], anyNode));
      expect(
        outcomesOf(w)
          .at(-1)!
          .stages.map(({ key }) => key),
      ).toContain(`${way}-accepted`);
    }
  });
});
