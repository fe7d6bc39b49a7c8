import { describe, expect, test } from 'vitest';
import { parseClaimEvent } from '../../../../shared/aws/events/claim-event.ts';
import { handleClaim } from '../../../../shared/controller/handle-claim.ts';
import { recordRejection } from '../../../../shared/controller/reject-claim.ts';
import { durationMs } from '../../../../shared/time.ts';
import { rejectReasons } from '../../../../shared/vip/admission.ts';
import { example, master, withDetail } from '../../../support/event.ts';
import { finish, item, type World, world } from '../../../support/world.ts';

describe('every reason for turning a claim away', () => {
  const ROLE = 'AROAEXAMPLEID0000001';
  const bySource = { mode: 'source', roleId: ROLE } as const;
  const node = String(master.detail.node);

  /** As shared/aws/lambda/claim-invocation.ts does it. */
  async function deliver(w: World, event: unknown, roleId = ROLE): Promise<void> {
    const parsed = parseClaimEvent(event);
    if (!parsed.ok) return recordRejection(w.ports, { ...parsed, ...parsed.rejection }, event);
    const { claim, source } = parsed;
    await finish(w, handleClaim(w.ports, { claim, source }, { ...bySource, roleId }));
  }

  const ways: Readonly<
    Record<string, { readonly event: unknown; readonly message: string; readonly roleId?: string }>
  > = {
    malformed: {
      event: withDetail({ since: 1 }),
      message: 'since of a transition is 1, expected its seq, 8123456000',
    },
    'unknown-vip': {
      event: withDetail({ vip: 'wbe' }),
      message: 'VIP "wbe" is not in the registry; register it, or correct notify.conf',
    },
    'foreign-source': {
      event: { ...master, source: 'my.app' },
      message: 'source is "my.app", expected vipshift.notify/<role id>:<instance id>',
    },
    'foreign-role': {
      event: master,
      roleId: 'AROAOTHER',
      message: `role id in the source is ${ROLE}, expected AROAOTHER`,
    },
    'foreign-node': {
      event: { ...master, source: `vipshift.notify/${ROLE}:i-0ffeeddccbbaa9988` },
      message: `the claim speaks of ${node}, its source is i-0ffeeddccbbaa9988`,
    },
    'not-a-member': { event: master, message: `no ENI of ${node} has the label web in vpc-1` },
    'from-the-future': {
      event: { ...master, time: '2026-11-22T14:05:08Z' },
      message:
        'event time is 2026-11-22T14:05:08.000Z, expected at most a minute after 2026-11-22T14:04:07.000Z',
    },
    superseded: {
      event: example('superseded.json'),
      message: 'a newer claim of the same VIP waited behind it on the node',
    },
  };

  test('is reached below', () => {
    expect(Object.keys(ways).sort()).toEqual([...rejectReasons].sort());
  });

  for (const [reason, { event, message, roleId }] of Object.entries(ways)) {
    test(`${reason}: returned and not thrown, so that it is not delivered again; counted with its message`, async () => {
      const w = world();
      await w.clock.advance(durationMs(247_000));
      await deliver(w, event, roleId);
      await deliver(w, event, roleId);
      expect(w.timeline.rejections).toMatchObject([{ reason, message, count: 2 }]);
      expect(JSON.parse(w.timeline.rejections[0]!.example)).toBeTypeOf('object');
      expect(w.ec2.effects).toEqual([]);
      expect(item(w).claims).toEqual({});
    });
  }
});
