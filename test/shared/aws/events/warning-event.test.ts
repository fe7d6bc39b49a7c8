// Warnings of AWS, read from events: the samples of its guides, and what goes wrong with them elsewhere.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { warningsFrom } from '../../../../shared/aws/events/warning-event.ts';
import { type Ignored, ignoredText } from '../../../../shared/warning/warning.ts';
import { healthEvent, listedEvent, NODE, rebalanceAdvice, spotWarning } from '../../../support/warnings.ts';

const OTHER = 'i-0abc1234';
const AT = Date.parse('2026-11-30T02:00:00Z');
const STARTS = Date.parse('2026-12-15T13:19:03Z');
const entities = (...values: readonly unknown[]) => ({
  affectedEntities: values.map((entityValue) => ({ entityValue })),
});
const reasonOf = (event: unknown): Ignored => {
  const found = warningsFrom(event);
  if (found.is !== 'ignored') throw new Error(`it was read: ${JSON.stringify(found)}`);
  return found.reason;
};

describe('a spot interruption warning', () => {
  it.each(['hibernate', 'stop', 'terminate'])('%s: says which instance, and what becomes of it', (action) => {
    expect(warningsFrom(spotWarning({ 'instance-action': action }))).toEqual({
      is: 'warnings',
      by: 'aws.ec2',
      warnings: [
        { kind: 'interruption', node: NODE, action, id: '12345678-1234-1234-1234-123456789012', atMs: AT },
      ],
    });
  });

  it('is read by its detail: resources may say anything, or be absent', () => {
    const { resources: _none, ...event } = spotWarning();
    expect(warningsFrom(event)).toEqual(warningsFrom(spotWarning()));
    expect(warningsFrom({ ...event, resources: [OTHER] })).toEqual(warningsFrom(spotWarning()));
  });
});

it('a rebalance recommendation is advice', () => {
  expect(warningsFrom(rebalanceAdvice())).toMatchObject({ warnings: [{ kind: 'rebalance', node: NODE }] });
});

describe('an event of AWS Health', () => {
  it('names the instance by its ARN, or by its id as older ones do, and the host that fails', () => {
    const expected = {
      is: 'warnings',
      by: 'aws.health',
      warnings: [
        {
          ...{ kind: 'maintenance', node: NODE, code: 'AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED' },
          ...{ degraded: true, startsAtMs: STARTS, over: false },
        },
      ],
    };
    expect(warningsFrom(healthEvent())).toEqual(expected);
    expect(warningsFrom(healthEvent(entities(NODE)))).toEqual(expected);
  });

  it('may name several instances, some of them twice, and things that are none', () => {
    const found = warningsFrom(healthEvent(entities(NODE, OTHER, NODE, 'vol-0abc1234', 'i-x', undefined)));
    expect(found).toMatchObject({ warnings: [{ node: NODE }, { node: OTHER }] });
  });

  it.each([
    ['AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED', true],
    ['AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED', true],
    ['AWS_EC2_INSTANCE_STOP_SCHEDULED', true],
    ['AWS_EC2_INSTANCE_TERMINATION_SCHEDULED', true],
    ['AWS_EC2_INSTANCE_REBOOT_MAINTENANCE_SCHEDULED', false],
    ['AWS_EC2_INSTANCE_NETWORK_MAINTENANCE_SCHEDULED', false],
    ['AWS_EC2_SYSTEM_REBOOT_MAINTENANCE_SCHEDULED', false],
    ['AWS_EC2_A_CODE_OF_NEXT_YEAR', false],
  ])('%s: degraded %s', (eventTypeCode, degraded) => {
    expect(warningsFrom(healthEvent({ eventTypeCode }))).toMatchObject({ warnings: [{ degraded }] });
  });

  it('is over when it is closed, and has an end where it names one', () => {
    const closed = healthEvent({ statusCode: 'closed', endTime: 'Tue, 15 Dec 2026 15:00:00 GMT' });
    expect(warningsFrom(closed)).toMatchObject({
      warnings: [{ over: true, endsAtMs: Date.parse('2026-12-15T15:00:00Z') }],
    });
  });

  it.each<[string, Record<string, unknown>, Ignored]>([
    ['a copy for the backup Region', { backupEvent: 'true' }, { key: 'backup-copy' }],
    ['another Region’s', { eventRegion: 'eu-west-1' }, { key: 'other-region', region: 'eu-west-1' }],
    [
      'a zone in trouble',
      { eventTypeCategory: 'issue', eventTypeCode: 'AWS_EC2_OPERATIONAL_ISSUE' },
      { key: 'no-scheduled-change' },
    ],
    ['another service’s', { service: 'RDS' }, { key: 'no-scheduled-change' }],
    ['one about no instance', { affectedEntities: [] }, { key: 'no-instance' }],
    ['one about other things', entities('vol-0abc1234'), { key: 'no-instance' }],
    [
      'an ISO date',
      { startTime: '2026-12-15T13:19:03Z' },
      { key: 'malformed', at: ['detail.startTime, detail.endTime'] },
    ],
    ['a status that is none', { statusCode: 'soon' }, { key: 'malformed', at: ['detail.statusCode'] }],
  ])('%s is ignored', (_what, detail, reason) => {
    expect(reasonOf(healthEvent(detail))).toEqual(reason);
    expect(ignoredText(reason)).not.toBe('');
  });
});

it('what reconcile found in EC2’s list is read as maintenance', () => {
  expect(warningsFrom(listedEvent())).toMatchObject({
    by: 'aws.ec2',
    warnings: [{ kind: 'maintenance', node: NODE, code: 'system-reboot', degraded: false, over: false }],
  });
  expect(reasonOf(listedEvent({ code: 'instance-dance' }))).toEqual({ key: 'foreign' });
});

describe('what is none of AWS’s warnings', () => {
  it.each([
    ['another source', { ...spotWarning(), source: 'com.example' }],
    ['a source that looks like it', { ...spotWarning(), source: 'aws.ec2.example' }],
    ['another type', { ...spotWarning(), 'detail-type': 'EC2 Instance State-change Notification' }],
    ['Health’s type from EC2', { ...healthEvent(), source: 'aws.ec2' }],
    ['nothing', undefined],
    ['a list', []],
  ])('%s is foreign', (_what, event) => {
    expect(reasonOf(event)).toEqual({ key: 'foreign' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['no instance', { 'instance-id': undefined }],
    ['an ARN for an instance', { 'instance-id': `arn:aws:ec2:us-east-2:1:instance/${NODE}` }],
    ['an instance of another form', { 'instance-id': 'I-1234567890ABCDEF0' }],
    ['an action that is none', { 'instance-action': 'reboot' }],
  ])('%s is malformed, and the place is named', (_what, detail) => {
    expect(reasonOf(spotWarning(detail))).toMatchObject({ key: 'malformed' });
    expect(ignoredText(reasonOf(spotWarning(detail)))).toMatch(/detail\.instance-/);
  });
});

it('never throws, and reads an instance only where AWS has written one', () => {
  const spoiltAt = (event: Record<string, unknown>) =>
    fc.tuple(fc.constantFrom(...Object.keys(event)), fc.jsonValue()).map(([key, value]) => {
      const detail = event.detail as Record<string, unknown>;
      const inner = Object.keys(detail)[JSON.stringify(value).length % Object.keys(detail).length]!;
      return key === 'detail'
        ? { ...event, detail: { ...detail, [inner]: value } }
        : { ...event, [key]: value };
    });
  const events = [spotWarning(), rebalanceAdvice(), healthEvent(), listedEvent()].map(spoiltAt);
  fc.assert(
    fc.property(fc.oneof(...events, fc.anything()), (event) => {
      const found = warningsFrom(event);
      if (found.is === 'ignored') expect(ignoredText(found.reason)).not.toBe('');
      else for (const { node } of found.warnings) expect(node).toBe(NODE);
    }),
    { numRuns: 2000, seed: 20 },
  );
});
