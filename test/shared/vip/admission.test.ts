import { describe, expect, test } from 'vitest';
import { handleClaim } from '../../../shared/controller/handle-claim.ts';
import { recordRejection } from '../../../shared/controller/reject-claim.ts';
import { durationMs, hours, plus } from '../../../shared/time.ts';
import { FUTURE_MAX, isFromFuture, sourceMismatch } from '../../../shared/vip/admission.ts';
import {
  anyNode,
  claimOf,
  finish,
  heard,
  item,
  outcomesOf,
  START,
  says,
  world,
} from '../../support/world.ts';

const ROLE = 'AROAEXAMPLE';
const bySource = { mode: 'source', roleId: ROLE } as const;
const claim = claimOf('i-a');

describe('an impostor', () => {
  const refusal = (source: string) => sourceMismatch(source, claim, bySource);

  test('is the sender that cannot show the role and the instance that IAM vouches for', () => {
    expect(refusal(`vipshift.notify/${ROLE}:i-a`)).toBeUndefined();
    expect(refusal('aws.ec2')).toEqual({
      reason: 'foreign-source',
      message: 'source is "aws.ec2", expected vipshift.notify/<role id>:<instance id>',
    });
    expect(refusal(`vipshift.notify/${ROLE}`)?.reason).toBe('foreign-source');
    expect(refusal(`vipshift.notify/${ROLE}:i-a:whatever`)?.reason, 'compared whole').toBe('foreign-source');
    expect(refusal('vipshift.notify/AROAOTHER:i-a')).toEqual({
      reason: 'foreign-role',
      message: `role id in the source is AROAOTHER, expected ${ROLE}`,
    });
    expect(refusal(`vipshift.notify/${ROLE}:i-b`)).toEqual({
      reason: 'foreign-node',
      message: 'the claim speaks of i-a, its source is i-b',
    });
  });

  test('with NodeIdentity none no one vouches, and membership alone decides', () => {
    expect(sourceMismatch('aws.ec2', claim, anyNode)).toBeUndefined();
  });
});

describe('a claim from the future', () => {
  test('is one stamped more than a minute ahead: the caller may set the time itself', () => {
    const ahead = (ms: number) => isFromFuture({ ...claim, timeMs: plus(START, durationMs(ms)) }, START);
    expect(ahead(FUTURE_MAX)).toBeUndefined();
    expect(ahead(FUTURE_MAX + 1)).toEqual({
      reason: 'from-the-future',
      message:
        'event time is 2026-11-22T14:01:00.001Z, expected at most a minute after 2026-11-22T14:00:00.000Z',
    });
  });
});

describe('what is turned away', () => {
  test('is counted by VIP, node, reason and hour, with the last example as it came', async () => {
    const w = world();
    const refused = { vip: 'web', node: 'i-a', reason: 'malformed', message: 'no detail' } as const;
    await recordRejection(w.ports, refused, { first: true });
    await recordRejection(w.ports, refused, { second: true });
    await recordRejection(w.ports, { ...refused, node: 'i-b' }, undefined);
    await w.clock.advance(hours(1));
    await recordRejection(w.ports, refused, { later: true });
    expect(w.timeline.rejections.map((r) => [r.node, r.count, r.example])).toEqual([
      ['i-a', 2, '{"second":true}'],
      ['i-b', 1, 'undefined'],
      ['i-a', 1, '{"later":true}'],
    ]);
  });

  test('costs one counter an hour and reason for all names that are not registered, and one for all nodes unknown', async () => {
    const w = world();
    const why = { reason: 'foreign-source', message: 'm' } as const;
    for (let n = 0; n < 100; n++) {
      await recordRejection(w.ports, { ...why, vip: `made-up-${n}`, node: `i-${n}` }, n);
      await recordRejection(w.ports, { ...why, vip: 'web', node: `i-${n}` }, n);
      await recordRejection(w.ports, { ...why, vip: 'web', node: 'constructor' }, n);
    }
    await recordRejection(w.ports, { ...why, vip: 'web', node: 'i-a' }, 'a member');
    expect(w.timeline.rejections.map(({ vip, node, count, example }) => [vip, node, count, example])).toEqual(
      [
        ['_unregistered', '_no-member', 100, '99'],
        ['web', '_no-member', 200, '99'],
        ['web', 'i-a', 1, '"a member"'],
      ],
    );
  });

  test('an impostor’s claim changes nothing and costs one record', async () => {
    const w = world();
    const before = item(w);
    const lie = { claim, source: `vipshift.notify/${ROLE}:i-b` };
    const answer = await handleClaim(w.ports, lie, bySource);
    expect(answer).toMatchObject({ answer: 'rejected', refusal: { reason: 'foreign-node' } });
    expect(item(w)).toBe(before);
    expect(w.timeline.rejections).toMatchObject([
      { vip: 'web', node: 'i-a', reason: 'foreign-node', count: 1 },
    ]);
  });

  test('a claim from the future is not recorded', async () => {
    const w = world();
    const answer = await says(w, 'i-a', { over: { timeMs: plus(START, hours(1)) } });
    expect(answer).toMatchObject({ answer: 'rejected', refusal: { reason: 'from-the-future' } });
    expect(item(w).claims).toEqual({});
  });

  test('a claim for a VIP that is not, or no more, in the registry names what to do', async () => {
    const message = 'VIP "web" is not in the registry; register it, or correct notify.conf';
    const w = world();
    const known = item(w);
    w.vips.items.delete('web');
    expect(await says(w, 'i-a')).toEqual({ answer: 'rejected', refusal: { reason: 'unknown-vip', message } });
    w.vips.items.set('web', { ...known, removedAtMs: START });
    expect(await says(w, 'i-a')).toEqual({ answer: 'rejected', refusal: { reason: 'unknown-vip', message } });
    expect(w.ec2.effects).toEqual([]);
  });

  for (const [kind, state] of [
    ['transition', 'MASTER'],
    ['transition', 'BACKUP'],
    ['assertion', 'MASTER'],
  ] as const) {
    test(`a ${kind} to ${state} of a node without a labelled ENI is not a member’s: nothing is recorded`, async () => {
      const w = world();
      const refusal = {
        reason: 'not-a-member',
        message: 'no ENI of i-z has the label web in vpc-1',
      };
      expect(await says(w, 'i-z', { kind, state })).toEqual({ answer: 'rejected', refusal });
      expect(item(w).claims).toEqual({});
      expect(w.ec2.effects).toEqual([]);
    });
  }

  test('a superseded claim is counted and never merged: a newer one waits behind it on the node', async () => {
    const w = world();
    expect(await says(w, 'i-a', { over: { superseded: true } })).toEqual({ answer: 'superseded' });
    expect(item(w).claims).toEqual({});
    expect(w.timeline.rejections).toMatchObject([{ reason: 'superseded', count: 1 }]);
    expect(outcomesOf(w)).toEqual([]);
  });

  test('a probe is answered in the record, once however often it is delivered, and moves nothing', async () => {
    const w = world();
    const probe = heard('i-a', { kind: 'probe' });
    for (const _delivery of [1, 2]) {
      expect(await finish(w, handleClaim(w.ports, probe, bySource))).toEqual({ answer: 'probed' });
    }
    expect(w.timeline.probes).toHaveLength(1);
    expect(w.timeline.probes[0]).toMatchObject({ vip: 'web', node: 'i-a', eventId: probe.claim.eventId });
    expect(item(w).claims).toEqual({});
  });
});
