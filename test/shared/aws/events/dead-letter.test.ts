// A dead letter, read: whose event it was, or that it is none.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deadLetterFrom } from '../../../../shared/aws/events/dead-letter.ts';
import { CONTROLLER_SOURCE } from '../../../../shared/aws/events/publisher.ts';
import { stepFrom } from '../../../../shared/aws/step-functions/step-event.ts';

const claim = {
  id: '1',
  'detail-type': 'VRRP State Change',
  source: 'vipshift.notify/x:y',
  detail: { vip: 'web' },
};
const schedule = { 'detail-type': 'Scheduled Event', source: 'aws.events' };
const announced = { 'detail-type': 'VIP Failover Failed', source: CONTROLLER_SOURCE };
const read = (value: unknown) => deadLetterFrom(JSON.stringify(value));

describe('a dead letter', () => {
  test('of a rule is the event, whole', () => {
    expect(read(claim)).toEqual({ kind: 'claim', event: { ...claim, redriven: true } });
    expect(read(announced)).toEqual({ kind: 'announcement', event: announced });
    expect(read(schedule)).toEqual({ kind: 'hint', event: schedule });
  });

  test('of a function has the event within', () => {
    const failed = { version: '1.0', requestContext: { condition: 'RetriesExhausted' } };
    expect(read({ ...failed, requestPayload: claim })).toEqual({
      kind: 'claim',
      event: { ...claim, redriven: true },
    });
    expect(read({ ...failed, requestPayload: schedule })).toEqual({ kind: 'hint', event: schedule });
  });

  test('of a claim is marked as driven again, whatever stands there: who may write to the queue chooses the stamp, too', () => {
    for (const redriven of [false, 'no', null, undefined])
      expect(read({ ...claim, redriven })).toEqual({ kind: 'claim', event: { ...claim, redriven: true } });
  });

  test('is a claim by its detail-type, whatever its source says', () => {
    expect(read({ ...claim, source: CONTROLLER_SOURCE }).kind).toBe('claim');
  });

  const poison: readonly (readonly [string, unknown])[] = [
    ['no JSON', 'no JSON'],
    ['nothing', ''],
    ['JSON that is cut off', '{"detail-type":"VRRP State'],
    ['null', 'null'],
    ['a number', '5'],
    ['a text', '"text"'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['no source', JSON.stringify({ 'detail-type': 'VRRP State Change' })],
    ['no detail-type', JSON.stringify({ source: CONTROLLER_SOURCE })],
    ['a detail-type that is no text', JSON.stringify({ ...claim, 'detail-type': 5 })],
    ['a source that is no text', JSON.stringify({ ...claim, source: null })],
    ['nothing within', JSON.stringify({ requestPayload: null })],
    ['a text within', JSON.stringify({ requestPayload: JSON.stringify(claim) })],
    ['a body that is no text', claim],
    ['no body', undefined],
  ];
  test.each(poison)('%s: poison', (_what, body) => {
    expect(deadLetterFrom(body)).toMatchObject({ kind: 'poison', why: expect.any(String) });
  });

  test('never throws, whatever the body is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.anything()), (body) => {
        expect(['claim', 'announcement', 'hint', 'poison']).toContain(deadLetterFrom(body).kind);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  test('is read by the function `runbook`, which names the message', async () => {
    const step = stepFrom({ state: 'readLetter', messageId: 'm-1', body: 'no JSON' });
    expect(step.name).toBe('readLetter');
    expect(await step.run({} as Parameters<typeof step.run>[0])).toMatchObject({
      messageId: 'm-1',
      kind: 'poison',
    });
  });
});
