import { describe, expect, it } from 'vitest';
import { hintFrom } from '../../../shared/aws/events/hint-event.ts';
import { type Change, concerns, type NodeHint, withStopped } from '../../../shared/controller/hint.ts';
import { reconcileFor } from '../../../shared/controller/reconcile-all.ts';
import { epochMs, hours, plus, seconds } from '../../../shared/time.ts';
import { NEVER_IN_TIME } from '../../../shared/vip/liveness.ts';
import { goneAt, merge, type NodeState } from '../../../shared/vip/node-state.ts';
import { finish, item, START, says, V4, world } from '../../support/world.ts';

const stopped = (node: string, afterMs: number, state = 'stopped'): NodeHint => ({
  ...{ kind: 'node', node, state },
  atMs: plus(START, seconds(afterMs / 1000)),
});
const change = (over: Partial<Change>): Change => ({
  ...{
    kind: 'change',
    id: 'e',
    by: 'x',
    call: 'ReplaceRoute',
    destinations: [],
    things: [],
    labels: [],
    atMs: START,
  },
  ...over,
});

describe('an instance that stopped', () => {
  it('counts as STOP when it has said nothing since', async () => {
    const w = world();
    await says(w, 'i-a');
    expect(withStopped(item(w), stopped('i-a', 5000)).claims['i-a']).toMatchObject({ state: 'STOP' });
  });

  it('in a year counts as stopped now: the node’s next report brings it back', async () => {
    const w = world();
    await says(w, 'i-a');
    await w.clock.advance(seconds(5));
    const hint = { ...stopped('i-a', 0), atMs: plus(w.clock.now(), hours(24 * 365)) };
    await finish(w, reconcileFor(w.ports, hint));
    expect(item(w).claims['i-a']).toMatchObject({ state: 'STOP' });
    await w.clock.advance(seconds(5));
    await says(w, 'i-a', { kind: 'assertion', sinceMs: 0 });
    expect(item(w).claims['i-a']).toMatchObject({ state: 'MASTER' });
  });

  /** What the node says of the same transition, `saidMs` after its last word by the boot's clock and stamped `stampedMs` after it. */
  const later = (before: NodeState, saidMs: number, stampedMs: number): NodeState => ({
    ...before,
    seq: before.seq + saidMs * 1000,
    upMs: before.upMs + saidMs,
    stampMs: before.stampMs + stampedMs,
    bootAtMs: before.bootAtMs + stampedMs - saidMs,
  });

  it('is not brought back by what it said before and comes only now, but by what it says later', async () => {
    const w = world();
    await says(w, 'i-a');
    const before = item(w).claims['i-a']!;
    const gone = withStopped(item(w), stopped('i-a', 5000)).claims['i-a']!;
    const stateAfter = (ms: number) => merge(gone, later(before, ms, ms)).state;
    expect([stateAfter(4000), stateAfter(5999), stateAfter(7000)]).toEqual(['STOP', 'STOP', before.state]);
  });

  it('is brought back by its first word after that, though its clock had stood still: AWS stamps that word later', async () => {
    const w = world();
    await says(w, 'i-a');
    const before = item(w).claims['i-a']!;
    const gone = withStopped(item(w), stopped('i-a', 240_000)).claims['i-a']!;
    // Four minutes by AWS's clock, of which the host stood still for three, and the next minute too.
    const asleep = later(before, 60_000, 239_000);
    const awake = later(before, 61_000, 301_000);
    expect(merge(gone, asleep).state).toBe('STOP');
    for (const order of [
      [gone, asleep, awake],
      [gone, awake, asleep],
      [awake, gone, asleep],
    ])
      expect(order.reduce((known, told) => merge(known, told))).toMatchObject({
        ...{ state: before.state, seq: awake.seq, upMs: awake.upMs, stampMs: awake.stampMs },
      });
  });

  it('is not brought back by a late claim, whatever its stamp: that is what it said in its former life', async () => {
    const w = world();
    await says(w, 'i-a');
    const before = item(w).claims['i-a']!;
    const gone = withStopped(item(w), stopped('i-a', 5000)).claims['i-a']!;
    expect(merge(gone, { ...later(before, 1000, 60_000), slot: NEVER_IN_TIME }).state).toBe('STOP');
  });

  it('goes away at the same instant, whatever was sent before and comes after', async () => {
    const w = world();
    await says(w, 'i-a');
    const before = item(w).claims['i-a']!;
    const gone = withStopped(item(w), stopped('i-a', 5000)).claims['i-a']!;
    expect(goneAt(before)).toBeUndefined();
    expect(goneAt(gone)).toBe(START + 5999);
    expect(goneAt(merge(gone, later(before, 1000, 4000)))).toBe(goneAt(gone));
  });

  it.each([
    ['has spoken since: the event is late, or of an earlier life', stopped('i-a', -5000)],
    ['only started', stopped('i-a', 5000, 'running')],
    ['is not a member', stopped('i-z', 5000)],
  ])('changes nothing when it %s', async (_why, hint) => {
    const w = world();
    await says(w, 'i-a');
    expect(withStopped(item(w), hint)).toBe(item(w));
  });
});

describe('a hint concerns a VIP', () => {
  const vip = { ...item(world()), name: 'web' };
  it.each([
    [change({ destinations: [V4] }), true],
    [change({ destinations: ['10.0.0.0/8'], things: ['rtb-1'] }), false],
    [change({ call: 'AssociateAddress', things: ['eipalloc-1'] }), true],
    [change({ call: 'ModifyNetworkInterfaceAttribute', things: ['eni-i-a-service'] }), true],
    [change({ call: 'CreateTags', labels: ['web'] }), true],
    [change({ call: 'CreateTags', labels: ['web:eip'] }), true],
    [change({ call: 'CreateTags', labels: ['other'] }), false],
    [change({ call: 'DisassociateAddress' }), true],
    [change({ call: 'ReleaseAddress', things: ['eipalloc-1'] }), true],
    [change({ call: 'ReleaseAddress', things: ['eipalloc-other'] }), false],
    [change({ call: 'UnassignPrivateIpAddresses', things: ['eni-i-a-service'] }), true],
    [change({ call: 'DetachNetworkInterface' }), true],
    [change({ call: 'DisassociateRouteTable' }), true],
    [change({ call: 'ReplaceRouteTableAssociation', things: ['rtb-1'] }), true],
    [change({ call: 'DeleteRouteTable', things: ['rtb-1'] }), true],
    [stopped('i-b', 0), true],
    [stopped('i-z', 0), false],
  ])('%j: %s', (hint, answer) => {
    expect(concerns(hint, vip)).toBe(answer);
  });

  it('unless it was removed', () => {
    expect(concerns(change({ destinations: [V4] }), { ...vip, removedAtMs: START })).toBe(false);
  });
});

describe('the default bus', () => {
  const envelope = { id: 'event', time: '2026-11-22T14:00:05Z' };

  it('is understood where EC2 tells a state, and where CloudTrail tells a call', () => {
    const detail = { 'instance-id': 'i-a', state: 'stopping' };
    const state = { ...envelope, 'detail-type': 'EC2 Instance State-change Notification', detail };
    expect(hintFrom(state, 'prod')).toEqual({
      kind: 'node',
      node: 'i-a',
      state: 'stopping',
      atMs: epochMs(Date.parse(envelope.time)),
    });
    const call = {
      ...envelope,
      'detail-type': 'AWS API Call via CloudTrail',
      detail: {
        ...{
          eventName: 'CreateTags',
          userIdentity: { arn: 'arn:aws:iam::1:user/x' },
          eventTime: '2026-11-22T14:00:00Z',
        },
        requestParameters: {
          resourcesSet: { items: [{ resourceId: 'rtb-1' }] },
          tagSet: {
            items: [
              { key: 'Name', value: 'x' },
              { key: 'vipshift:prod', value: 'web' },
            ],
          },
        },
      },
    };
    expect(hintFrom(call, 'prod')).toMatchObject({
      kind: 'change',
      by: 'arn:aws:iam::1:user/x',
      things: ['rtb-1'],
      labels: ['web'],
      atMs: START,
    });
  });

  it.each([[{}], [undefined], [{ 'detail-type': 'Scheduled Event', ...envelope, detail: {} }], ['text']])(
    'takes %j for the schedule’s turn',
    (event) => {
      expect(hintFrom(event, 'prod')).toBeUndefined();
    },
  );
});
