// What a workflow hands in: the execution's input as an order, each default and each bound, and the state that is run with it.
import { describe, expect, it } from 'vitest';
import { orderFrom } from '../../../../shared/aws/step-functions/order-input.ts';
import { stepFrom } from '../../../../shared/aws/step-functions/step-event.ts';
import { REASON_MAX } from '../../../../shared/bounded.ts';
import type { FailoverOrder } from '../../../../shared/forced-failover/order.ts';
import type { ForcedFailoverPorts } from '../../../../shared/forced-failover/steps.ts';
import { owned, type World } from '../../../support/world.ts';

const least = { vip: 'web', to: 'i-0123456789abcdef0', mode: 'routes-only', reason: 'patching', by: 'ann' };
const order: FailoverOrder = {
  ...(least as Pick<FailoverOrder, 'vip' | 'to' | 'mode' | 'reason' | 'by'>),
  ...{ dryRun: false, approval: false, pinMinutes: 60, claimWaitSeconds: 30, release: 'safe' },
};

describe('the input of an execution', () => {
  it.each([
    ['says no more than it must', {}, {}],
    ['goes via keepalived: not pinned', { mode: 'via-keepalived' }, { pinMinutes: 0 }],
    ['asks for no pin', { pinMinutes: 0 }, {}],
    ['asks for a pin via keepalived', { mode: 'via-keepalived', pinMinutes: 5 }, {}],
    ['is a dry run', { dryRun: true }, {}],
    ['waits for an approval', { approval: true }, {}],
    ['says how long to wait', { claimWaitSeconds: 240 }, {}],
    ['releases by hand', { release: 'by-hand' }, {}],
    ['pins for a week', { pinMinutes: 10_080 }, {}],
    ['has the longest reason', { reason: 'x'.repeat(REASON_MAX) }, {}],
    ['has fields of a newer version', { novelty: 1 }, { novelty: undefined }],
  ])('that %s', (_what, over, defaults) => {
    expect(orderFrom({ ...least, ...over })).toEqual({ ok: true, order: { ...order, ...over, ...defaults } });
  });

  it.each([
    ['vip', ''],
    ['vip', 'a b'],
    ['to', 'i-1'],
    ['mode', 'both'],
    ['reason', ' '],
    ['reason', 'x'.repeat(REASON_MAX + 1)],
    ['by', ''],
    ['by', 'x'.repeat(REASON_MAX + 1)],
    ['dryRun', 'yes'],
    ['approval', 1],
    ['pinMinutes', -1],
    ['pinMinutes', 10_081],
    ['pinMinutes', 1.5],
    ['claimWaitSeconds', 0],
    ['claimWaitSeconds', 241],
    ['release', 'later'],
  ])('is refused by name where %s is %j', (name, value) => {
    expect(orderFrom({ ...least, [name]: value })).toEqual({
      ok: false,
      reasons: [expect.stringMatching(`^${name}: `)],
    });
  });

  it('names everything that is wrong, and that it is no object', () => {
    const found = orderFrom({ vip: 'a b', to: 'x' });
    expect(found).toMatchObject({ ok: false });
    expect((found as { reasons: readonly string[] }).reasons).toHaveLength(5);
    expect(orderFrom(undefined)).toEqual({ ok: false, reasons: [expect.stringMatching(/^input: /)] });
  });
});

describe('a state of the workflow', () => {
  const portsOf = (w: World): ForcedFailoverPorts => ({
    ...w.ports,
    orders: { put: () => Promise.resolve() },
    approvals: { ask: () => Promise.resolve(), pending: () => Promise.resolve([]) },
  });
  const event = { execution: 'run-1', stage: 'prod' };

  it('is a step by its name; the first one parses the order, and hands it on', async () => {
    const w = await owned();
    const step = stepFrom({ ...event, state: 'preflight', story: { input: { ...least } } });
    expect(step.name).toBe('preflight');
    const answer = await step.run(portsOf(w));
    expect(answer).toMatchObject({ outcome: 'refused', before: { owner: 'i-a' }, order });
  });

  it('with a malformed order is refused, with every reason, and plans nothing', async () => {
    const w = await owned();
    const step = stepFrom({ ...event, state: 'preflight', story: { input: { ...least, to: 'i-b' } } });
    expect(await step.run(portsOf(w))).toEqual({
      ...{ outcome: 'refused', reasons: [expect.stringMatching(/^to: /)] },
      ...{ plan: [], conflicts: [], atLeastMs: 0, before: {} },
    });
  });

  it('gets execution, stage and token along with what is known so far', async () => {
    const w = await owned();
    const asked: object[] = [];
    const ports = {
      ...portsOf(w),
      approvals: { ask: async (r: object) => void asked.push(r), pending: async () => [] },
    };
    const story = { input: {}, preflight: { order, plan: [], left: { plan: 7, conflicts: 0, reasons: 0 } } };
    await stepFrom({ ...event, state: 'requestApproval', token: 'token', story }).run(ports as never);
    const atMs = w.clock.now();
    expect(asked).toEqual([
      {
        ...{ vip: 'web', execution: 'run-1', token: 'token', order, plan: [], calls: 7 },
        ...{ atMs, untilMs: atMs + 3_600_000 },
      },
    ]);
  });

  it('of the redrive has a letter read, whatever it holds', async () => {
    const letter = stepFrom({ state: 'readLetter', messageId: 'm', body: 'x' });
    expect([letter.name, await letter.run({} as never)]).toEqual([
      'readLetter',
      { messageId: 'm', kind: 'poison', why: 'the body is not JSON' },
    ]);
  });

  it('that no step is called is a mistake of ours', () => {
    for (const state of ['nosuch', 'toString'])
      expect(() => stepFrom({ ...event, state, story: { input: {} } })).toThrow(TypeError);
  });
});
