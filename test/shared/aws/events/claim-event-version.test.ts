import { describe, expect, test } from 'vitest';
import { parseClaimEvent, VERSION } from '../../../../shared/aws/events/claim-event.ts';
import { countNewerVersion, metricNames, type Telemetry } from '../../../../shared/aws/lambda/telemetry.ts';
import { handleClaim } from '../../../../shared/controller/handle-claim.ts';
import { plus, seconds } from '../../../../shared/time.ts';
import { master, saysClaim, withDetail } from '../../../support/event.ts';
import { addNode, anyNode, finish, item, world } from '../../../support/world.ts';

describe('other versions', () => {
  const spy = () => {
    const told: unknown[][] = [];
    const journal = {
      logger: { warn: (...args: unknown[]) => told.push(args) },
      metrics: { addMetric: (...args: unknown[]) => told.push(args) },
    } as unknown as Telemetry;
    return { told, journal };
  };

  test('unknown fields are ignored, in the envelope and in the detail: fields are only ever added', () => {
    const later = { ...withDetail({ colour: 'blue', weights: [1, 2] }), 'replay-name': 'x' };
    expect(saysClaim(later)).toBe(true);
    const parsed = parseClaimEvent(later);
    expect(parsed.ok && 'colour' in parsed.claim).toBe(false);
    expect(parsed.ok && parsed.claim).toEqual((parseClaimEvent(master) as { claim: unknown }).claim);
  });

  test('a newer version is read as far as it is known, moves the VIP, and is alarmed: a refused claim is a missed failover', async () => {
    const event = withDetail({ version: VERSION + 7, colour: 'blue' });
    expect(saysClaim(event)).toBe(true);
    const parsed = parseClaimEvent(event);
    if (!parsed.ok) throw new Error(parsed.rejection.message);
    const { told, journal } = spy();
    countNewerVersion(journal, parsed.version);
    expect(told[0]![1]).toEqual({ version: VERSION + 7 });
    expect(told[1]).toEqual([metricNames.newerVersion, 'Count', 1]);
    const w = world([]);
    addNode(w.ec2, parsed.claim.node);
    w.clock.set(plus(parsed.claim.timeMs, seconds(1)));
    const { claim, source } = parsed;
    expect((await finish(w, handleClaim(w.ports, { claim, source }, anyNode))).answer).toBe('switched');
    expect(item(w).owner).toBe(claim.node);
  });

  test.each([
    [{ leaving: 'spot-terminate' }, ['spot-terminate', undefined]],
    [{ atRisk: true }, [undefined, true]],
    [{}, [undefined, undefined]],
  ])('what version 2 says of a node that is to go is in the claim: %j', (words, said) => {
    const parsed = parseClaimEvent(withDetail({ version: 2, ...words }));
    if (!parsed.ok) throw new Error(parsed.rejection.message);
    expect([parsed.claim.leaving, parsed.claim.atRisk]).toEqual(said);
  });

  test('the current version is no alarm, and version 0 is none at all', () => {
    const { told, journal } = spy();
    countNewerVersion(journal, VERSION);
    expect(told).toEqual([]);
    expect([parseClaimEvent(withDetail({ version: 0 })).ok, saysClaim(withDetail({ version: 0 }))]).toEqual([
      false,
      false,
    ]);
  });
});
