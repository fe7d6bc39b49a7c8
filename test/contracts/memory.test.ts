import { describe } from 'vitest';
import { memoryTimeline } from '../../shared/memory/timeline.ts';
import { memoryVips } from '../../shared/memory/vip-store.ts';
import { entry, world } from '../support/world.ts';
import { ec2Contract } from './ec2.ts';
import { timelineContract } from './timeline.ts';
import { viewCacheContract } from './view-cache.ts';
import { vipStoreContract } from './vip-store.ts';

describe('VIP store in memory', () => {
  const store = memoryVips();
  vipStoreContract(() => store);
});

describe('stored views in memory', () => {
  const views = memoryVips();
  viewCacheContract(() => views);
});

describe('timeline in memory', () => {
  const timeline = memoryTimeline();
  timelineContract(() => ({
    timeline,
    rejections: async (vip) => timeline.rejections.filter((r) => r.vip === vip),
    probes: async (vip) => timeline.probes.filter((p) => p.vip === vip).length,
  }));
});

describe('EC2 in memory', () => {
  ec2Contract(async () => ({
    ec2: world().ec2,
    entry,
    nodes: ['i-a', 'i-b'],
    labelled: ['rtb-1', 'rtb-2', 'rtb-3', 'rtb-4'],
    unlabelled: ['rtb-other'],
    prefixList: 'pl-1',
    strangerEni: 'eni-stranger',
    takesDuplicateRoutes: false,
    forgetsPrefixLists: false,
  }));
});
