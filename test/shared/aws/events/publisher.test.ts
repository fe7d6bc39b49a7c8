import { setImmediate } from 'node:timers/promises';
import type { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { describe, expect, test } from 'vitest';
import {
  awsPublisher,
  CONTROLLER_SOURCE,
  FAILED,
  FINISHED,
  FLAPPING,
  finishedDetail,
  flappingDetail,
  LEAVING,
  laterPublisher,
  leavingDetail,
} from '../../../../shared/aws/events/publisher.ts';
import { seconds } from '../../../../shared/time.ts';
import { flappingNotice } from '../../../../shared/timeline/message.ts';
import { outcomes } from '../../../../shared/timeline/timeline.ts';
import { FLAPS_MIN } from '../../../../shared/vip/flapping.ts';
import type { VipStore } from '../../../../shared/vip/store.ts';
import { example, type Json, saysFinished, saysFlapping, saysLeaving } from '../../../support/event.ts';
import { item, outcomesOf, reconciles, says, world } from '../../../support/world.ts';

describe('what the command line leaves to reconcile', () => {
  test('is the event that a function would have sent, in the item, and nothing is sent', async () => {
    const w = world();
    await says(w, 'i-a');
    const [told] = outcomesOf(w);
    const publisher = laterPublisher(w.vips, { stage: 'dev' });
    await publisher.finished(told!);
    const { as, detail } = item(w).unannounced!;
    expect(as).toBe('finished');
    expect(JSON.parse(detail)).toMatchObject(JSON.parse(JSON.stringify(finishedDetail(told!))) as object);
    await publisher.failed({ ...told!, outcome: 'failed' });
    expect(item(w).unannounced).toMatchObject({ as: 'failed' });
  });
});

describe('what reconcile finds left in an item', () => {
  test.each([
    ['finished', FINISHED],
    ['failed', FAILED],
  ] as const)('is sent as it was left: %s', async (as, detailType) => {
    const sent: unknown[] = [];
    const send = async ({ input }: PutEventsCommand) => {
      sent.push(...input.Entries!);
      return { Entries: [{ EventId: 'e-1' }] };
    };
    const { signal } = new AbortController();
    const client = { send } as unknown as EventBridgeClient;
    const publisher = awsPublisher({ client, bus: 'vipshift-dev', place: { stage: 'dev' }, signal });
    await publisher.forward({ as, detail: '{"epoch":7}' });
    const entry = { EventBusName: 'vipshift-dev', Source: CONTROLLER_SOURCE, DetailType: detailType };
    expect(sent).toEqual([{ ...entry, Detail: '{"epoch":7}' }]);
  });

  test('is in the item by the time that the command line goes on', async () => {
    const w = world();
    await says(w, 'i-a');
    const [told] = outcomesOf(w);
    const written = Promise.withResolvers<void>();
    let isDone = false;
    const vips = {
      ...w.vips,
      write: async (...args: Parameters<VipStore['write']>) => {
        await written.promise;
        return w.vips.write(...args);
      },
    };
    const left = laterPublisher(vips, { stage: 'dev' }).finished(told!);
    void left.then(() => (isDone = true));
    // All that can go on has.
    await setImmediate();
    expect(isDone).toBe(false);
    written.resolve();
    await left;
    expect(item(w).unannounced).toMatchObject({ as: 'finished' });
  });
});

describe('VIP Failover Finished', () => {
  const [nodeA, nodeB] = ['i-0a1b2c3d4e5f60718', 'i-0ffeeddccbbaa9988'];
  const event = (detail: object) => ({
    ...example('finished.json'),
    'detail-type': FINISHED,
    source: CONTROLLER_SOURCE,
    detail: JSON.parse(JSON.stringify(detail)) as Json,
  });
  const valid = (detail: object) => [saysFinished(event(detail)), saysFinished.errors];

  test('what a first failover, a second one and reconcile publish is as the schema says', async () => {
    const w = world([nodeA, nodeB]);
    await says(w, nodeA);
    await w.clock.advance(seconds(10));
    await says(w, nodeB);
    await w.clock.advance(seconds(10));
    w.vips.items.set('web', { ...item(w), claims: { [nodeA]: { ...item(w).claims[nodeA]!, since: 9e15 } } });
    await reconciles(w);
    const details = w.published.map(finishedDetail);
    expect(details.map((d) => [d.from, d.to, d.cause.kind])).toEqual([
      [undefined, nodeA, 'claim'],
      [nodeA, nodeB, 'claim'],
      [nodeB, nodeA, 'reconcile'],
    ]);
    for (const detail of details) expect(valid(detail)).toEqual([true, null]);
    expect(details.every((d) => d.durationsMs.toLastMutation !== undefined)).toBe(true);
  });

  test('so is every outcome that the record may hold', async () => {
    const w = world([nodeA]);
    await says(w, nodeA);
    const [told] = outcomesOf(w);
    for (const outcome of outcomes) {
      expect(valid(finishedDetail({ ...told!, outcome, stages: [] }))).toEqual([true, null]);
    }
  });

  test('the schema is no formality: it refuses a wrong outcome, node or epoch', () => {
    const { detail } = example('finished.json');
    for (const over of [
      { outcome: 'moved' },
      { to: 'a' },
      { epoch: 0 },
      { durationsMs: { toReadBack: '1' } },
    ]) {
      expect(saysFinished(event({ ...detail, ...over }))).toBe(false);
    }
  });
});

test('VIP Node Flapping is as its schema says; a failover of the storm names its nodes', async () => {
  const [nodeA, nodeB] = ['i-0a1b2c3d4e5f60718', 'i-0ffeeddccbbaa9988'];
  const w = world([nodeA, nodeB]);
  await says(w, nodeA);
  for (let n = 0; n < 2 * FLAPS_MIN; n++) {
    await w.clock.advance(seconds(1));
    await says(w, nodeB, { state: n % 2 === 0 ? 'BACKUP' : 'MASTER' });
  }
  await says(w, nodeA, { state: 'FAULT' });
  const [storm] = w.storms;
  const event = { ...example('flapping.json'), 'detail-type': FLAPPING, source: CONTROLLER_SOURCE };
  expect(
    saysFlapping({ ...event, detail: flappingDetail('web', storm!) }),
    JSON.stringify(saysFlapping.errors),
  ).toBe(true);
  expect(saysFlapping({ ...event, detail: { ...flappingDetail('web', storm!), node: 'b' } })).toBe(false);
  const notice = flappingNotice('web', storm!, { stage: 'prod' });
  expect(notice.subject).toBe(`vipshift prod: web: ${nodeB} flaps`);
  expect(notice.text).toContain('vipshift status web --stage prod');
  const details = outcomesOf(w).map(finishedDetail);
  expect(details.at(-1)!.flapping).toEqual([nodeB]);
  expect(details[0]).not.toHaveProperty('flapping');
  for (const detail of details)
    expect(
      saysFinished({ ...example('finished.json'), detail: JSON.parse(JSON.stringify(detail)) as Json }),
    ).toBe(true);
});

test.each(['frozen', 'last'] as const)('VIP Node Leaving is as its schema says: %s', (key) => {
  const stranded = { key, node: 'i-0a1b2c3d4e5f60718', cause: 'spot-terminate' };
  const event = { ...example('leaving.json'), 'detail-type': LEAVING, source: CONTROLLER_SOURCE };
  const detail = leavingDetail('web', stranded);
  expect([saysLeaving({ ...event, detail }), saysLeaving.errors]).toEqual([true, null]);
  expect(detail).toMatchObject({ vip: 'web', node: stranded.node, leaving: 'spot-terminate', keeps: key });
  expect(saysLeaving({ ...event, detail: { ...detail, keeps: 'x' } })).toBe(false);
  expect(saysLeaving(example('leaving.json'))).toBe(true);
});
