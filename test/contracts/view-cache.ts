// What every ViewCache must do, on memory and on DynamoDB alike.
import { expect, it } from 'vitest';
import type { StoredView, ViewCache } from '../../shared/network/view-cache.ts';
import { plus, seconds } from '../../shared/time.ts';
import { ITEM_MAX } from '../../shared/timeline/size.ts';
import { START } from '../support/world.ts';

export const emptyView: StoredView = {
  source: 'ec2',
  beganAtMs: START,
  endedAtMs: START,
  tables: [],
  enis: [],
  eips: [],
};

let names = 0;

export function viewCacheContract(open: () => ViewCache): void {
  it('gives back the view that was kept last, of this name only', async () => {
    const views = open();
    const name = `seen-${++names}`;
    expect(await views.view(name)).toBeUndefined();
    await views.keepView(name, emptyView);
    const later = { ...emptyView, endedAtMs: plus(START, seconds(1)) };
    await views.keepView(name, later);
    expect(await views.view(name)).toEqual(later);
    expect(await views.view(`${name}0`)).toBeUndefined();
  });

  it('refuses a view that is larger than an item, and leaves the one before', async () => {
    const views = open();
    const name = `seen-${++names}`;
    await views.keepView(name, emptyView);
    const eip = { eip: 'eipalloc-1', publicAddress: 'x'.repeat(ITEM_MAX) };
    await expect(views.keepView(name, { ...emptyView, eips: [eip] })).rejects.toMatchObject({
      kind: 'refused',
      code: 'ValidationException',
    });
    expect(await views.view(name)).toEqual(emptyView);
  });
}
