import { describe } from 'vitest';
import { memoryTimeline } from '../../shared/memory/timeline.ts';
import { memoryVips } from '../../shared/memory/vip-store.ts';
import { timelineContract } from './timeline.ts';
import { vipStoreContract } from './vip-store.ts';

describe('VIP store in memory', () => {
  const store = memoryVips();
  vipStoreContract(() => store);
});

describe('timeline in memory', () => {
  const timeline = memoryTimeline();
  timelineContract(() => ({
    timeline,
    rejections: async (vip) => timeline.rejections.filter((r) => r.vip === vip),
    probes: async (vip) => timeline.probes.filter((p) => p.vip === vip).length,
  }));
});
