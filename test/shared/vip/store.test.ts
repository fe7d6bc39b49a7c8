import { describe, expect, it } from 'vitest';
import { memoryVips } from '../../../shared/memory/vip-store.ts';
import { compareAndSet } from '../../../shared/vip/store.ts';
import { newVip, type Vip } from '../../../shared/vip/vip.ts';
import { entry } from '../../support/world.ts';

/** A store in which another writer is quicker `times` times. */
function contended(times: number) {
  const vips = memoryVips([newVip(entry)]);
  let left = times;
  const write: typeof vips.write = (before, after) => {
    if (left-- > 0) {
      const { rev, epoch, ...rest } = vips.items.get('web')!;
      vips.items.set('web', { ...rest, rev: rev + 1, epoch: epoch + 1 });
    }
    return vips.write(before, after);
  };
  return { vips: { ...vips, write }, stored: () => vips.items.get('web')! };
}
const owned = (vip: Vip | undefined) => (vip === undefined ? undefined : { ...vip, owner: 'i-a' });
const change = (from: Vip | undefined, racesMax = 3) => ({ name: 'web', from, racesMax });

describe('an item', () => {
  it('is written as decided on what the caller has read', async () => {
    const { vips, stored } = contended(0);
    expect(await compareAndSet(vips, change(stored()), owned)).toEqual({ is: 'written', item: stored() });
    expect(stored()).toMatchObject({ owner: 'i-a', epoch: 0 });
  });

  it('is decided on again where another writer was quicker, and keeps what that one wrote', async () => {
    const { vips, stored } = contended(2);
    const seen: (number | undefined)[] = [];
    const noting = (vip: Vip | undefined) => {
      seen.push(vip?.epoch);
      return owned(vip);
    };
    expect(await compareAndSet(vips, change(stored()), noting)).toMatchObject({ is: 'written' });
    expect([seen, stored().owner, stored().epoch]).toEqual([[0, 1, 2], 'i-a', 2]);
  });

  it('is given up after so many lost writes, and handed over as it is then', async () => {
    const { vips, stored } = contended(3);
    expect(await compareAndSet(vips, change(stored()), owned)).toEqual({ is: 'lost', item: stored() });
    expect([stored().owner, stored().epoch]).toEqual([undefined, 3]);
  });

  it('is not written where nothing changes, or where nothing is to be there', async () => {
    const { vips, stored } = contended(9);
    const before = stored();
    expect(await compareAndSet(vips, change(before), (vip) => vip)).toEqual({
      is: 'unchanged',
      item: before,
    });
    expect(await compareAndSet(vips, change(before), () => undefined)).toEqual({
      is: 'unchanged',
      item: before,
    });
    expect(stored()).toBe(before);
  });

  it('may be new', async () => {
    const { vips, stored } = contended(0);
    const other = { name: 'db', from: undefined, racesMax: 1 };
    const made = await compareAndSet(vips, other, () => newVip({ ...entry, name: 'db' }));
    expect(made).toMatchObject({ is: 'written', item: { name: 'db' } });
    expect(stored().name).toBe('web');
  });
});
