// The store of VIPs in memory. Every method decides and acts in one step, like one request to DynamoDB.
import { Fault } from '../fault.ts';
import { packed } from '../network/packed-view.ts';
import type { StoredView, ViewCache } from '../network/view-cache.ts';
import { ITEM_MAX, jsonBytes } from '../timeline/size.ts';
import { afterClaimWrite, type VipStore } from '../vip/store.ts';
import type { Vip } from '../vip/vip.ts';

export interface MemoryVips extends VipStore, ViewCache {
  /** The items as they are, for checkers and for seeding. */
  readonly items: Map<string, Vip>;
  readonly views: Map<string, StoredView>;
}

export function memoryVips(seed: readonly Vip[] = []): MemoryVips {
  const items = new Map(seed.map((vip) => [vip.name, vip]));
  const views = new Map<string, StoredView>();
  return {
    items,
    views,
    async read(name) {
      return items.get(name);
    },
    async list() {
      return [...items.values()];
    },
    async recordClaim(claimWrite, now) {
      const vip = items.get(claimWrite.vip);
      const after = vip === undefined ? undefined : afterClaimWrite(vip, claimWrite, now);
      if (after === undefined) return { answer: 'refused', vip };
      items.set(after.name, after);
      return { answer: 'recorded', vip: after };
    },
    async write(before, after) {
      const vip = items.get(after.name);
      if (vip?.rev !== before?.rev) return undefined;
      const written = { ...after, rev: (vip?.rev ?? 0) + 1 };
      items.set(after.name, written);
      return written;
    },
    async renew(name, lease, expiresAtMs) {
      const vip = items.get(name);
      if (vip?.lease === undefined || vip.lease.epoch !== lease.epoch || vip.lease.holder !== lease.holder) {
        return undefined;
      }
      if (expiresAtMs > vip.lease.expiresAtMs) {
        items.set(name, { ...vip, rev: vip.rev + 1, lease: { ...vip.lease, expiresAtMs } });
      }
      return items.get(name);
    },
    async view(name) {
      return views.get(name);
    },
    async keepView(name, view) {
      const bytes = jsonBytes(packed(view));
      if (bytes > ITEM_MAX) throw new Fault('refused', 'ValidationException', `the view has ${bytes} bytes`);
      views.set(name, view);
    },
  };
}
