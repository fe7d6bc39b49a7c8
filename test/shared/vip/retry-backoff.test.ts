import { describe, expect, it } from 'vitest';
import { Fault } from '../../../shared/fault.ts';
import { epochMs, seconds } from '../../../shared/time.ts';
import { afterFailure, isBackingOff } from '../../../shared/vip/retry-backoff.ts';
import { finish, item, reconciles, START, says, targets, V4, world } from '../../support/world.ts';

/** One table refuses for good, as it does when a permission is missing. */
function denied() {
  const w = world();
  const deny = { on: true };
  const apply: typeof w.ec2.apply = (step, mayStart) => {
    if (deny.on && step.cell === `rtb-3 ${V4}`) {
      return Promise.reject(
        mayStart() ? new Fault('denied', 'UnauthorizedOperation', 'no') : new Fault('lease-short', '', ''),
      );
    }
    return w.ec2.apply(step, mayStart);
  };
  return { w: { ...w, ports: { ...w.ports, ec2: { ...w.ec2, apply } } }, deny };
}

describe('a switch that cannot be carried out', () => {
  it('costs a handful of epochs in ten minutes of assertions, and not one for each', async () => {
    const { w } = denied();
    await finish(w, says(w, 'i-a'));
    expect(item(w)).toMatchObject({ epoch: 1, tried: { node: 'i-a', times: 1 } });
    for (let atMs = 10_000; atMs <= 600_000; atMs += 10_000) {
      await w.clock.advance(seconds(10));
      await finish(w, says(w, 'i-a', { kind: 'assertion', sinceMs: 0, atMs }));
    }
    expect(item(w).epoch).toBeGreaterThan(3);
    expect(item(w).epoch).toBeLessThan(12);
  });

  it('is carried out by reconcile as soon as it can be, and then forgotten', async () => {
    const { w, deny } = denied();
    await finish(w, says(w, 'i-a'));
    deny.on = false;
    await w.clock.advance(seconds(5));
    await finish(w, reconciles(w));
    expect(targets(w).every((t) => t === 'eni-i-a-service')).toBe(true);
    expect(item(w)).toMatchObject({ owner: 'i-a' });
    expect(item(w).tried).toBeUndefined();
  });

  it('keeps no other node’s transition waiting', async () => {
    const { w, deny } = denied();
    await finish(w, says(w, 'i-a'));
    deny.on = false;
    await w.clock.advance(seconds(5));
    await finish(w, says(w, 'i-b', { atMs: 5000 }));
    expect(item(w).owner).toBe('i-b');
  });
});

describe('the pause after a failed switch', () => {
  const elected = { owner: 'i-a', reason: { key: 'pinned' }, splitBrain: [] } as const;
  const at = (ms: number) => epochMs(START + ms);

  it('doubles from 10 s to two minutes, each to the millisecond', () => {
    let tried = afterFailure(undefined, 'i-a', START);
    for (const pause of [10_000, 20_000, 40_000, 80_000, 120_000, 120_000]) {
      expect([isBackingOff(tried, elected, at(pause - 1)), isBackingOff(tried, elected, at(pause))]).toEqual([
        true,
        false,
      ]);
      tried = afterFailure(tried, 'i-a', START);
    }
  });

  it('is for the node that was tried, and begins again with another', () => {
    const tried = afterFailure(afterFailure(undefined, 'i-a', START), 'i-a', START);
    expect(isBackingOff(tried, { ...elected, owner: 'i-b' }, START)).toBe(false);
    expect(afterFailure(tried, 'i-b', START).times).toBe(1);
  });
});
