import { describe, expect, it } from 'vitest';
import { epochMs } from '../../../shared/time.ts';
import { feltMs, noticeOf, subjectOf, textOf } from '../../../shared/timeline/message.ts';
import { milestone } from '../../../shared/timeline/milestone.ts';
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
  noticeOf({ ...failover, steps: [step], ...over }, { stage: 'prod' }).text.split('\n');

describe('a notice', () => {
  it('says what moved, why, what became of it, what clients felt, and what to run next', () => {
    expect(text({})).toEqual([
      'VIP web (stage prod): moved from i-a to i-b',
      'Cause: i-b said MASTER (claim)',
      'Outcome: switched, epoch 42; 1 of 1 EC2 calls carried out; read back and right',
      "Clients: about 0.6 s from the node's report to the last route, after VRRP had noticed; open TCP connections broke",
      'Next: vipshift timeline web --limit 5 --stage prod',
    ]);
  });

  it('names the Region in its command, where it is known', () => {
    const place = { stage: 'prod', region: 'eu-west-1' };
    expect(noticeOf(failover, place).text.split('\n').at(-1)).toBe(
      'Next: vipshift timeline web --limit 5 --stage prod --region eu-west-1',
    );
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

  it.each([
    ['switched', 'moved from i-a to i-b'],
    ['partial', 'moved only in part from i-a to i-b'],
    ['failed', 'did not move from i-a to i-b'],
    ['abandoned', 'abandoned (from i-a, to i-b)'],
  ] as const)('of the outcome %s says that the VIP %s', (outcome, moved) => {
    expect(text({ outcome })[0]).toBe(`VIP web (stage prod): ${moved}`);
    expect(noticeOf({ ...failover, outcome }, { stage: 'prod' }).subject).toBe(`vipshift prod: web ${moved}`);
  });

  it('names no node where there was none, or is none', () => {
    const { from: _from, to: _to, ...nowhere } = failover;
    expect(noticeOf(nowhere, { stage: 'prod' }).subject).toBe(
      'vipshift prod: web moved from no node to no node',
    );
  });

  it('counts the calls that were carried out among all of them', () => {
    expect(text({ steps: [step, { ...step, result: 'unsent' }, step] })[2]).toContain('; 2 of 3 EC2 calls');
  });

  it('says that nothing was confirmed where nothing was', () => {
    expect(text({ verified: false })[2]).toMatch(/; not confirmed by reading back/);
  });

  it('lists what was left alone and between whom the brain is split', () => {
    const conflict = { cell: 'rtb-1', found: 'tgw-1', kind: 'foreign', why: 'it is theirs' } as const;
    const lines = text({ conflicts: [conflict], splitBrain: ['i-a', 'i-b'], notes: ['a note'] });
    expect(lines.slice(4, 7)).toEqual([
      'Left alone: rtb-1 (tgw-1): it is theirs',
      'Split brain: i-a and i-b',
      'Note: a note',
    ]);
    const many = text({ conflicts: Array(30).fill(conflict), notes: Array(30).fill('n') });
    expect(many.filter((line) => line.startsWith('…'))).toEqual([
      '… and 10 more left alone',
      '… and 10 more notes',
    ]);
  });

  it.each([
    ['switched', {}, 'timeline'],
    ['partial', { outcome: 'partial' }, 'status'],
    ['failed', { outcome: 'failed' }, 'status'],
    ['split', { splitBrain: ['i-a', 'i-b'] }, 'status'],
    ['in conflict', { conflicts: [{ cell: 'c', found: 'f', kind: 'foreign', why: 'w' }] }, 'status'],
  ] as const)('of a VIP that is %s names the command that shows it', (_what, over, command) => {
    expect(text(over).at(-1)).toMatch(
      new RegExp(`^Next: vipshift ${command} web (?:--limit 5 )?--stage prod$`),
    );
  });
});

describe('what clients felt', () => {
  const felt = (over: Partial<Failover>) => text(over).find((line) => line.startsWith('Clients: '));
  const stages = (reported: number, moved: number) => [
    milestone('node-reported', epochMs(reported)),
    milestone('last-accepted', epochMs(moved)),
  ];

  it('is nothing where no call was sent, and not over where the failover failed', () => {
    expect(felt({ steps: [] })).toBe('Clients: nothing');
    expect(felt({ outcome: 'failed' })).toMatch(/^Clients: still where they were/);
  });

  it('counts from the report of the node to the last route', () => {
    expect(feltMs(stages(1000, 3500))).toBe(2500);
    expect(feltMs(stages(1000, 1000))).toBe(0);
  });

  it('is not known without a report, without a route, or where the clock of the node is ahead', () => {
    const [reported, moved] = stages(1000, 3500);
    expect([feltMs([reported!]), feltMs([moved!]), feltMs([])]).toEqual([undefined, undefined, undefined]);
    expect(feltMs(stages(1001, 1000))).toBeUndefined();
    expect(felt({ stages: [] })).toBe(
      'Clients: their route changed while it worked; open TCP connections broke',
    );
  });
});

describe('a text to people', () => {
  it('has a subject that SNS takes: ASCII, at most 100 characters', () => {
    expect(subjectOf('a → b → ü…ü: c')).toBe('a -> b ->  : c');
    expect(subjectOf('x'.repeat(101))).toBe('x'.repeat(100));
  });

  it('has one line for each that was given, whatever was said, none of them endless', () => {
    expect(textOf(['a\nb', 'c'])).toBe('a b\nc');
    expect(textOf(['x'.repeat(5000)])).toHaveLength(1000);
  });
});
