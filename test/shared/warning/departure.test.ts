// From when, until when, and under which name a node leaves: at ±1 ms of each limit, and as properties.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { warningsFrom } from '../../../shared/aws/events/warning-event.ts';
import { type EpochMs, epochMs, hours, minus, minutes, plus, seconds } from '../../../shared/time.ts';
import {
  DEPARTURE_MAX,
  departureFrom,
  INTERRUPTION_LASTS,
  LEAD,
  type Leaving,
  MAINTENANCE_LASTS,
} from '../../../shared/warning/departure.ts';
import { scheduledCodes, scheduledWarning } from '../../../shared/warning/scheduled.ts';
import type { Interruption, Maintenance } from '../../../shared/warning/warning.ts';
import { healthEvent, listedEvent, NODE } from '../../support/warnings.ts';

const NOW = epochMs(Date.parse('2026-11-30T02:00:00Z'));
const MS = 1 as ReturnType<typeof seconds>;
const spot = (atMs: EpochMs): Interruption => ({
  ...{ kind: 'interruption', node: NODE, action: 'terminate', id: 'e-1', atMs },
});
const reboot = (startsAtMs: EpochMs, more: Partial<Maintenance> = {}): Maintenance => ({
  ...{ kind: 'maintenance', node: NODE, code: 'system-reboot', degraded: false, over: false, startsAtMs },
  ...more,
});
const leaving = (found: Leaving) => {
  if (found.is !== 'departure') throw new Error(`ignored: ${found.reason.key}`);
  return found.departure;
};
const of = (warning: Interruption | Maintenance, now = NOW) =>
  leaving(departureFrom(warning, 'aws.ec2', now));
const ignoredAs = (warning: Interruption | Maintenance, now = NOW) => {
  const found = departureFrom(warning, 'aws.ec2', now);
  return found.is === 'ignored' ? found.reason.key : undefined;
};

it('a spot instance leaves at once, and is a target again a quarter of an hour after the warning', () => {
  expect(of(spot(minus(NOW, seconds(1))))).toEqual({
    ...{ name: `leave-${NODE}-e-1`, node: NODE, by: 'aws.ec2', dueMs: NOW },
    untilMs: plus(NOW, (INTERRUPTION_LASTS - 1000) as typeof MS),
    why: 'spot interruption warning: EC2 will terminate it',
  });
  const sent = spot(minus(NOW, INTERRUPTION_LASTS));
  expect(ignoredAs(sent)).toBe('too-late');
  expect(ignoredAs(sent, minus(NOW, MS))).toBeUndefined();
});

describe('maintenance', () => {
  it('begins ten minutes before its date, and ends with it, or two hours later where EC2 does not say', () => {
    const starts = plus(NOW, hours(48));
    expect(of(reboot(starts))).toMatchObject({
      dueMs: minus(starts, LEAD),
      untilMs: plus(starts, MAINTENANCE_LASTS),
      startsAtMs: starts,
      name: `leave-${NODE}-20261202T020000Z`,
    });
    expect(of(reboot(starts, { endsAtMs: plus(starts, hours(5)) })).untilMs).toBe(plus(starts, hours(5)));
    expect(of(reboot(plus(NOW, LEAD))).dueMs).toBe(NOW);
    expect(of(reboot(plus(NOW, minutes(1)))).dueMs, 'sooner than that').toBe(NOW);
  });

  it('of a host that fails does not wait', () => {
    expect(of(reboot(plus(NOW, hours(300)), { degraded: true })).dueMs).toBe(NOW);
  });

  it('is ignored when it is over, or more than thirty days ahead', () => {
    expect(ignoredAs(reboot(minus(NOW, MAINTENANCE_LASTS)))).toBe('too-late');
    expect(ignoredAs(reboot(plus(minus(NOW, MAINTENANCE_LASTS), MS)))).toBeUndefined();
    const last = plus(plus(NOW, DEPARTURE_MAX), LEAD);
    expect(ignoredAs(reboot(last))).toBeUndefined();
    expect(ignoredAs(reboot(plus(last, MS)))).toBe('too-early');
  });

  it('of AWS Health and of EC2’s list makes one name: they number it differently, and date it the same', () => {
    const names = [healthEvent(), listedEvent()].map((event) => {
      const found = warningsFrom(event);
      return found.is === 'warnings' ? of(found.warnings[0] as Maintenance).name : undefined;
    });
    expect(names).toEqual([`leave-${NODE}-20261215T131903Z`, `leave-${NODE}-20261215T131903Z`]);
  });
});

describe('what EC2 lists', () => {
  const listed = { node: NODE, code: 'system-reboot', description: 'scheduled reboot', notBeforeMs: NOW };

  it.each(['[Completed] scheduled reboot', '[Canceled] scheduled reboot', '[completed]'])(
    '%s is over',
    (description) => {
      expect(scheduledWarning({ ...listed, description })).toMatchObject({ over: true });
    },
  );

  it('is not over because the description speaks of it', () => {
    const description = 'a reboot that replaces the one that was [Completed]';
    expect(scheduledWarning({ ...listed, description })).toMatchObject({ over: false });
  });

  it('is of a failing host where the instance is stopped or retired; other codes are none of EC2’s', () => {
    const degraded = scheduledCodes.filter((code) => scheduledWarning({ ...listed, code })!.degraded);
    expect(degraded).toEqual(['instance-retirement', 'instance-stop']);
    expect(scheduledWarning({ ...listed, code: 'system-dance' })).toBeUndefined();
  });
});

it('no drain outlasts thirty days, begins after its end, or has a name that Step Functions refuses; the name never depends on when it is read', () => {
  const date = fc.integer({ min: NOW - 40 * 86_400_000, max: NOW + 80 * 86_400_000 }).map(epochMs);
  const id = fc.stringMatching(/^[0-9A-Za-z-]{1,36}$/);
  const warning = fc.oneof(
    fc.record({ atMs: date, id }).map((given): Interruption => ({ ...spot(given.atMs), ...given })),
    fc
      .record({ startsAtMs: date, degraded: fc.boolean(), lasts: fc.option(fc.nat({ max: 1e9 })) })
      .map(({ startsAtMs, degraded, lasts }) =>
        reboot(startsAtMs, {
          degraded,
          ...(lasts === null ? {} : { endsAtMs: epochMs(startsAtMs + lasts) }),
        }),
      ),
  );
  fc.assert(
    fc.property(warning, fc.nat({ max: 86_400_000 }), (given, laterMs) => {
      const found = departureFrom(given, 'aws.ec2', NOW);
      if (found.is === 'ignored') return;
      const { name, dueMs, untilMs } = found.departure;
      expect(name).toMatch(/^[\w-]{1,80}$/);
      expect(dueMs).toBeGreaterThanOrEqual(NOW);
      expect(untilMs).toBeGreaterThan(NOW);
      expect(untilMs).toBeLessThanOrEqual(NOW + DEPARTURE_MAX);
      const again = departureFrom(given, 'aws.health', epochMs(NOW + laterMs));
      if (again.is === 'departure') expect(again.departure.name).toBe(name);
    }),
    { numRuns: 2000, seed: 20 },
  );
});
