// The outcome of an epoch, made from what was decided, what was sent and what was read back.
import { describe, expect, test } from 'vitest';
import { conflict } from '../../../shared/network/conflict.ts';
import type { Observation } from '../../../shared/network/observation.ts';
import { nothing, type Step, type StepTried } from '../../../shared/network/step.ts';
import { untold } from '../../../shared/switch/execute.ts';
import { buildOutcome, markSent, type OutcomeInput } from '../../../shared/switch/outcome.ts';
import type { Verdict } from '../../../shared/switch/verify.ts';
import { durationMs, hours, plus } from '../../../shared/time.ts';
import { type Milestone, milestone } from '../../../shared/timeline/milestone.ts';
import { flappingText } from '../../../shared/vip/flapping.ts';
import { newVip } from '../../../shared/vip/vip.ts';
import { ACCOUNT, entry, memberOf, START, V4, VPC } from '../../support/world.ts';

const A = memberOf('i-a');
const cause = { kind: 'order', why: 'test', atMs: START } as const;
const vip = { ...newVip({ ...entry, addresses: [V4], eips: ['eipalloc-1'] }), owner: 'i-b' };
const table = (n: number, vpc = VPC) => ({
  ...{ table: `rtb-${n}`, label: 'web', vpc, account: ACCOUNT, edge: false, routes: {} },
});
const seen: Observation = {
  ...{ source: 'ec2', beganAtMs: START, endedAtMs: START, enis: [], eips: [] },
  tables: [table(1), table(2)],
};
const verdict: Verdict = { steps: [], verified: true, conflicts: [], notes: [], bugs: [] };
const none = { steps: [], conflicts: [] };
const input: OutcomeInput = {
  lease: { holder: 'me', epoch: 7, expiresAtMs: plus(START, hours(1)), cause },
  ...{ vip, seen, todo: none, verdict, milestones: [], intent: undefined, atMs: START },
  decision: {
    ...{ to: 'i-a', reason: { key: 'newest-master', node: 'i-a' }, splitBrain: [], flapping: [], notes: [] },
    moves: { vip, seen, target: A },
  },
};
const outcome = (over: Partial<OutcomeInput> = {}) => buildOutcome({ ...input, ...over });
const decision = (over: Partial<OutcomeInput['decision']>) => ({ ...input.decision, ...over });

const route: Step = {
  ...{ call: 'CreateRoute', cell: `rtb-1 ${V4}`, from: nothing, eni: A.eni, table: 'rtb-1', destination: V4 },
};
const tried = (result: StepTried['result'], over: Partial<StepTried> = {}): StepTried => ({
  ...{ ...untold(route), step: route, result, attempts: 1, unanswered: 0 },
  ...over,
});
const foreign = conflict(`rtb-1 ${V4}`, 'tgw-1', { key: 'foreign-route' });
const sentAs = (steps: readonly StepTried[], over: Partial<Verdict> = {}) => ({
  verdict: { ...verdict, steps, ...over },
});

describe('the outcome', () => {
  const [done, failed] = [tried('done'), tried('failed')];
  const conflicts = (count: number) => ({ todo: { steps: [], conflicts: Array(count).fill(foreign) } });
  const { moves: _moves, ...still } = input.decision;

  test.each([
    ['unchanged', 'nothing was to be done', {}],
    ['unchanged', 'nothing may move, whatever is in the way', { decision: still, ...conflicts(3) }],
    ['partial', 'nothing was sent, and one cell of three is right', conflicts(2)],
    ['failed', 'nothing was sent, and every cell is a stranger’s', conflicts(3)],
    ['switched', 'every call was carried out', sentAs([done, done])],
    ['partial', 'one of the calls was not', sentAs([done, failed])],
    ['failed', 'none of them was', sentAs([failed, tried('unsent')])],
    ['partial', 'a cell was left alone', { ...sentAs([done]), ...conflicts(1) }],
    ['partial', 'a cell was found out of reach afterwards', sentAs([done], { conflicts: [foreign] })],
    ['failed', 'something should move and nothing could', { decision: decision({ failed: 'no ENI' }) }],
    [
      'superseded',
      'another caller was quicker, whatever else went wrong',
      { decision: decision({ failed: 'no ENI' }), ...sentAs([done], { stop: 'lease lost' }) },
    ],
  ] as const)('is %s where %s', (wanted, _when, over) => {
    expect(outcome(over as Partial<OutcomeInput>).outcome).toBe(wanted);
  });

  test('is under lease, cause and reason, and has from where to where', () => {
    const milestones = [milestone('described', START)];
    expect(outcome({ milestones })).toEqual({
      ...{ entry: 'outcome', vip: 'web', epoch: 7, holder: 'me', cause, outcome: 'unchanged' },
      ...{ from: 'i-b', to: 'i-a', reason: { key: 'newest-master', node: 'i-a' } },
      ...{ why: 'newest MASTER is i-a', steps: [], conflicts: [], stages: milestones, verified: true },
      ...{ notes: [], claims: {}, splitBrain: [], atMs: START },
    });
  });

  test('has no owner before or after where there is none', () => {
    const { owner: _owner, ...unowned } = vip;
    const told = outcome({ vip: unowned, decision: decision({ to: undefined }) });
    expect(['from' in told, 'to' in told]).toEqual([false, false]);
  });

  test('has the conflicts of the plan and those that were found when reading back', () => {
    const other = conflict('eipalloc-1', 'nothing', { key: 'no-eip' });
    const told = outcome({
      todo: { steps: [], conflicts: [foreign] },
      ...sentAs([], { conflicts: [other] }),
    });
    expect(told.conflicts).toEqual([foreign, other]);
  });
});

describe('its notes', () => {
  const flaps = { node: 'i-b', sinceMs: START, untilMs: plus(START, hours(1)), transitions: 9 };

  test('come in the order in which they matter', () => {
    const check: Step = {
      call: 'ModifyNetworkInterfaceAttribute',
      cell: 'eni-1 check',
      from: 'on',
      eni: 'eni-1',
    };
    const steps = [
      tried('failed', { code: 'Denied', message: 'no right' }),
      { ...tried('done'), ...untold(check), step: check },
    ];
    const { notes, flapping } = outcome({
      seen: { ...seen, source: 'stored', tables: [table(1), table(9, 'vpc-2')] },
      decision: decision({ failed: 'it failed', notes: ['it was decided'], flapping: [flaps] }),
      verdict: { ...verdict, steps, stop: 'lease lost', notes: ['it was read'] },
      intent: new Error('slow down'),
    });
    expect(notes).toEqual([
      'it failed',
      'stopped: lease lost',
      '1 × Denied: no right',
      'planned from the view stored 2026-11-22T14:00:00.000Z: the describes did not answer in time',
      'it was decided',
      flappingText(flaps),
      'it was read',
      'source/destination check was on at eni-1; switched off: done',
      'left alone: rtb-9 is in vpc-2, expected vpc-1',
      'the intent could not be recorded: slow down',
    ]);
    expect(flapping).toEqual(['i-b']);
  });

  test('have nothing of a view that could not be had, and one line each, however long it was', () => {
    const long = `one\ntwo ${'x'.repeat(5000)}`;
    const { notes } = outcome({ seen: new Error('slow down'), decision: decision({ notes: [long] }) });
    expect(notes).toEqual([expect.stringMatching(/^one two x+…x+$/)]);
    expect(notes[0]).toHaveLength(1000);
  });
});

describe('the milestones of what was sent', () => {
  const sent = (sentMs: number, doneMs?: number): StepTried =>
    tried('done', {
      sentAtMs: plus(START, durationMs(sentMs)),
      ...(doneMs === undefined ? {} : { doneAtMs: plus(START, durationMs(doneMs)) }),
    });
  const marked = (steps: readonly StepTried[]) => {
    const milestones: Milestone[] = [];
    markSent(milestones, steps);
    return milestones.map(({ key, atMs }) => [key, atMs - START]);
  };

  test('are the first sending and the last acceptance', () => {
    expect(marked([sent(20, 200), sent(10, 300), sent(30, 100)])).toEqual([
      ['first-sent', 10],
      ['last-accepted', 300],
    ]);
  });

  test('are none where nothing was sent, and one where nothing was accepted', () => {
    expect(marked([tried('unsent')])).toEqual([]);
    expect(marked([sent(10), tried('unsent')])).toEqual([['first-sent', 10]]);
  });
});
