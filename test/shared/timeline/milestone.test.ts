// Milestones are told apart by their keys, in records of this version, of the one before and of one to come.
import { describe, expect, test } from 'vitest';
import { durations } from '../../../shared/aws/events/publisher.ts';
import { epochMs } from '../../../shared/time.ts';
import { feltMs } from '../../../shared/timeline/message.ts';
import {
  keyOf,
  type Milestone,
  type MilestoneKey,
  milestone,
  milestoneText,
} from '../../../shared/timeline/milestone.ts';
import { beganAt, dueAt, newsAge, took, waterfall } from '../../../shared/timeline/query.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import { failoverOf } from '../../cli/timeline/records.ts';
import { readByVersionBefore } from './version-before.ts';

/** What the version before wrote. It is data of deployed stacks: no text here ever changes. */
const texts: Readonly<Record<MilestoneKey, string>> = {
  'node-reported': 'node said so (its clock)',
  'bus-accepted': 'bus accepted (whole seconds)',
  'direct-accepted': 'function URL accepted',
  'claim-began': 'controller began',
  'reconcile-began': 'reconcile began',
  'order-began': 'order began',
  unvouched: 'nobody vouches for the node: NodeIdentity is none',
  described: 'described',
  'describe-failed': 'describe failed',
  'view-taken': 'stored view taken',
  'last-due': 'last mutation due, by the request budget',
  'first-sent': 'first mutation sent',
  'last-accepted': 'last mutation accepted',
  'read-back': 'read back',
};
const keys = Object.keys(texts) as MilestoneKey[];

const story: readonly (readonly [MilestoneKey, number])[] = [
  ['node-reported', 1000],
  ['bus-accepted', 1000],
  ['claim-began', 1400],
  ['described', 1440],
  ['last-due', 9000],
  ['first-sent', 1450],
  ['last-accepted', 1600],
  ['read-back', 1700],
];
const recordOf = (stages: readonly Milestone[]): Failover => failoverOf(1, { stages, atMs: epochMs(1800) });
const before = recordOf(story.map(([key, atMs]) => ({ stage: texts[key], atMs: epochMs(atMs) })));
const now = recordOf(story.map(([key, atMs]) => milestone(key, epochMs(atMs))));

const readHere = (failover: Failover) => ({
  began: beganAt(failover),
  took: took(failover),
  newsAge: newsAge(failover),
  felt: feltMs(failover.stages),
  due: dueAt(failover),
  durations: durations(failover.stages),
  labels: waterfall(failover).map((bar) => bar.label),
});

describe('a milestone', () => {
  test('of the version before is known by its text, and is read as one with a key', () => {
    expect(readHere(before)).toEqual(readHere(now));
    expect(readHere(before)).toMatchObject({
      ...{ began: 1400, took: 200, newsAge: 400, felt: 600, due: 9000 },
      durations: { toLastMutation: 200, toReadBack: 300 },
    });
    for (const key of keys) expect(keyOf({ stage: texts[key], atMs: epochMs(0) })).toBe(key);
  });

  test('of this version is read by the version before as its own', () => {
    for (const key of keys) expect(milestone(key, epochMs(0)).stage).toBe(texts[key]);
    expect(readByVersionBefore(now)).toEqual(readByVersionBefore(before));
    expect(readByVersionBefore(now)).toMatchObject({ took: 200, newsAge: 400, felt: 600, due: 9000 });
  });

  test('of a version to come, whose key is unknown here, is shown by its text and taken for no other', () => {
    const unknown = {
      key: 'packets-moved',
      stage: 'packets moved',
      atMs: epochMs(1650),
    } as unknown as Milestone;
    const record = recordOf([...now.stages, unknown]);
    expect(milestoneText(unknown)).toBe('packets moved');
    expect({ ...readHere(record), labels: [] }).toEqual({ ...readHere(now), labels: [] });
    expect(waterfall(record).map((bar) => bar.label)).toContain('packets moved');
  });

  test('is decided by its key, whatever its text says', () => {
    const stages = now.stages.map((m) => ({ ...m, stage: `was: ${m.stage.toUpperCase()}` }));
    expect({ ...readHere(recordOf(stages)), labels: [] }).toEqual({ ...readHere(now), labels: [] });
  });
});
