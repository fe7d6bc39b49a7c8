import { describe, expect, it } from 'vitest';
import { epochMs } from '../../../shared/time.ts';
import { noticeOf } from '../../../shared/timeline/message.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';

const failover: Failover = {
  ...{ entry: 'outcome', vip: 'web', epoch: 42, holder: 'h', outcome: 'switched', from: 'i-a', to: 'i-b' },
  cause: { kind: 'claim', node: 'i-b', why: 'i-b said MASTER', atMs: epochMs(1000) },
  ...{
    why: 'newest MASTER is i-b',
    steps: [],
    conflicts: [],
    verified: true,
    notes: [],
    claims: {},
    splitBrain: [],
  },
  stages: [
    { stage: 'node said so (its clock)', atMs: epochMs(1000) },
    { stage: 'last mutation accepted', atMs: epochMs(1640) },
  ],
  atMs: epochMs(2000),
};
const step = {
  cell: 'c',
  call: 'ReplaceRoute',
  from: 'f',
  to: 't',
  result: 'done',
  attempts: 1,
  unanswered: 0,
} as const;
const text = (over: Partial<Failover>) =>
  noticeOf({ ...failover, steps: [step], ...over }, 'prod').text.split('\n');

describe('a notice', () => {
  it('says what moved, why, what became of it, what clients felt, and what to run next', () => {
    expect(text({})).toEqual([
      'VIP web (stage prod): moved from i-a to i-b',
      'Cause: i-b said MASTER (claim)',
      'Outcome: switched, epoch 42; 1 of 1 EC2 calls carried out; read back and right',
      'Clients: about 0.6 s from the node’s report to the last route, after VRRP had noticed; open TCP connections broke'.replace(
        '’',
        "'",
      ),
      'Next: vipshift timeline web --stage prod --limit 5',
    ]);
  });

  it('of a failure sends to where the fault is seen, and promises nothing', () => {
    const lines = text({
      outcome: 'failed',
      steps: [{ ...step, result: 'failed' }],
      verified: false,
      notes: ['no quota'],
    });
    expect(lines[0]).toBe('VIP web (stage prod): did not move from i-a to i-b');
    expect(lines).toContain('Note: no quota');
    expect(lines.at(-1)).toBe('Next: vipshift status web --stage prod');
  });

  it('names who ordered it', () => {
    const cause = { kind: 'order', why: 'patching', by: 'ann', atMs: epochMs(1) } as const;
    expect(text({ cause })[1]).toBe('Cause: patching (order, ordered by ann)');
  });

  it('has a subject that SNS takes: ASCII, at most 100 characters', () => {
    const { subject } = noticeOf({ ...failover, vip: 'ü'.repeat(200) }, 'prod');
    expect(subject).toMatch(/^[\x20-\x7e]{1,100}$/);
  });
});
