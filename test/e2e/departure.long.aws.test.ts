// Warnings of AWS, as its events, on the deployed service: doubled, late, malformed, foreign, for an unknown instance, for a frozen VIP, for
// the last node that can have it. Prints what became of each.
import { CreateTagsCommand } from '@aws-sdk/client-ec2';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { poll } from '../../lab/aws/stack/poll.ts';
import { invoke, VIP } from '../../lab/aws/stack/stack.ts';
import { epochMs, iso } from '../../shared/time.ts';
import { withFreeze, withoutDrain, withoutFreeze } from '../../shared/vip/vip.ts';
import { healthEvent, rebalanceAdvice, spotWarning } from '../support/warnings.ts';
import { ended, start } from './stage/aws-json.ts';
import {
  asKeepalivedDoes,
  change,
  expectOn,
  id,
  inbox,
  nodes,
  orders,
  says,
  settled,
  stack,
  stageOrders,
} from './stage/order-stage.ts';

/** Also after a test that failed. */
async function undrained(): Promise<void> {
  await change((vip) => [id('a'), id('b')].reduce(withoutDrain, vip));
}
beforeEach(undrained);
stageOrders();
let bus: EventBridgeClient;
beforeAll(() => {
  const { endpoint, region, accountId } = stack.aws;
  bus = new EventBridgeClient({
    endpoint,
    region,
    credentials: { accessKeyId: accountId, secretAccessKey: 'local' },
  });
});
afterAll(() => bus?.destroy());

type Event = Record<string, unknown>;
let events = 0;
/** A new event each time, made now. */
const event = (of: Event, detail: object): Event => ({
  ...of,
  id: `0000000${++events}`.slice(-8),
  time: iso(epochMs(Date.now())).replace(/\.\d+/, ''),
  region: stack.aws.region,
  detail: { ...(of.detail as object), ...detail },
});
const spot = (node: string) => event(spotWarning(), { 'instance-id': node });
const health = (node: string, detail: object = {}) =>
  event(healthEvent(), {
    eventRegion: stack.aws.region,
    affectedEntities: [{ entityValue: `arn:aws:ec2:${stack.aws.region}:1:instance/${node}` }],
    ...detail,
  });

/** By the default bus and its rules, as AWS delivers it. */
const delivered = (of: Event) =>
  bus.send(
    new PutEventsCommand({
      Entries: [
        {
          Source: of.source as string,
          DetailType: of['detail-type'] as string,
          Detail: JSON.stringify(of.detail),
          Resources: [],
        },
      ],
    }),
  );
let readings = 0;
/** What the rule's target makes of the event. */
const read = async (of: Event) => {
  const { WarningMachineArn } = stack.deployment.outputs;
  const reading = await ended(
    stack.aws,
    await start(stack.aws, WarningMachineArn!, `read-${++readings}`, of),
  );
  expect(reading.status).toBe('SUCCEEDED');
  return reading.output as { departures: { name: string }[]; said: string[] };
};
const departureOf = (name: string) =>
  ended(
    stack.aws,
    `${stack.deployment.outputs.DepartureMachineArn!.replace(':stateMachine:', ':execution:')}:${name}`,
  );
const drainOf = async (node: string) => (await stack.vips.read(VIP))?.drains?.[node];
const table: string[][] = [];
const note = (warning: string, became: string) => void table.push([warning, became]);
afterAll(() => console.log(table.map(([what, became]) => `${what!.padEnd(58)} ${became}`).join('\n')));

describe('a node of which AWS has warned', () => {
  it('is drained and left, by the rule on the default bus; doubled and late copies change nothing', async () => {
    await delivered(spot(id('a')));
    const vip = await settled(id('b'));
    await expectOn('b');
    const drain = await drainOf(id('a'));
    expect(drain).toMatchObject({ by: 'aws.ec2', departure: expect.stringMatching(/^leave-i-/) });
    const { status, output } = await departureOf(drain!.departure!);
    expect([status, output]).toMatchObject(['SUCCEEDED', { outcome: 'left', drained: [VIP] }]);
    const told = await poll('the message', async () =>
      (await inbox.messages()).find(({ Subject }) => Subject!.includes('has left')),
    );
    expect(told.Message).toContain('spot interruption warning: EC2 will terminate it');
    const drains = (await orders()).filter((entry) => 'order' in entry && entry.order === 'drain');
    expect(drains.at(-1)).toMatchObject({ by: 'aws.ec2', node: id('a') });
    note(
      'spot warning for the owner',
      `moved to the standby, epoch ${vip.epoch}; drained until ${iso(drain!.untilMs)}`,
    );
  });

  it('is named once: the same event twice starts one departure', async () => {
    const one = spot(id('a'));
    const [first, second] = [await read(one), await read(one)];
    expect(second.departures[0]!.name).toBe(first.departures[0]!.name);
    await settled(id('b'));
    await departureOf(first.departures[0]!.name);
    const drains = (await orders()).filter(
      (e) => 'order' in e && String(e.id).endsWith(first.departures[0]!.name),
    );
    expect(drains).toHaveLength(1);
    note('the same twice', 'one departure, one drain in the record');
  });

  it('with a failing host leaves at once; closed, its drain ends', async () => {
    const at = new Date(Math.ceil(Date.now() / 1000) * 1000 + 9 * 86_400_000).toUTCString();
    const { departures } = await read(health(id('a'), { startTime: at }));
    await settled(id('b'));
    await departureOf(departures[0]!.name);
    expect(await drainOf(id('a'))).toMatchObject({ by: 'aws.health', departure: departures[0]!.name });
    note('AWS Health: retirement in nine days', 'moved at once; drained until two hours after its date');
    const over = await read(health(id('a'), { startTime: at, statusCode: 'closed' }));
    expect([over.departures, await drainOf(id('a'))]).toEqual([[], undefined]);
    note('the same, closed', over.said[0]!);
  });

  it('waits for other maintenance until ten minutes before', async () => {
    const eventTypeCode = 'AWS_EC2_INSTANCE_REBOOT_MAINTENANCE_SCHEDULED';
    const soon = new Date(Date.now() + 5 * 60_000).toUTCString();
    const later = new Date(Date.now() + 9 * 86_400_000).toUTCString();
    await read(health(id('a'), { eventTypeCode, startTime: later }));
    expect(await drainOf(id('a'))).toBeUndefined();
    note('AWS Health: reboot in nine days', 'nothing yet: its workflow waits');
    const { departures } = await read(health(id('a'), { eventTypeCode, startTime: soon }));
    await settled(id('b'));
    await departureOf(departures[0]!.name);
    note('AWS Health: reboot in five minutes', 'moved');
  });

  it('with hold master is demoted by the workflow of a forced failover', async () => {
    nodes.onCommand = asKeepalivedDoes;
    await change((vip) => ({ ...vip, hold: 'master' }));
    const { departures } = await read(spot(id('a')));
    await settled(id('b'));
    expect((await departureOf(departures[0]!.name)).status).toBe('SUCCEEDED');
    expect(nodes.commands[0]).toMatchObject({ node: id('a'), demoted: true });
    note('spot warning, hold master', 'keepalived demoted there, then moved');
    await change((vip) => ({ ...vip, hold: 'both' }));
  });

  it('is found by the next sweep in EC2’s list where its event was lost; completed, its drain ends', async () => {
    const scheduled = async (description: string) => {
      const Value = `system-reboot/${iso(epochMs(startsAtMs))}/${description}`;
      const Tags = [{ Key: 'lab:scheduled', Value }];
      await stack.ec2.send(new CreateTagsCommand({ Resources: [id('a')], Tags }));
      await invoke(stack.aws, stack.deployment.functions.reconcile, {});
    };
    const startsAtMs = Math.ceil(Date.now() / 1000) * 1000 + 5 * 60_000;
    await scheduled('The instance is scheduled for a reboot');
    await settled(id('b'));
    const { departure = '' } = (await drainOf(id('a')))!;
    expect((await departureOf(departure)).status).toBe('SUCCEEDED');
    note('EC2’s list: reboot in five minutes, no event', 'moved after the next sweep');
    await scheduled('[Completed] The instance is scheduled for a reboot');
    await poll('the end of the drain', async () =>
      (await drainOf(id('a'))) === undefined ? true : undefined,
    );
    note('EC2’s list: the same, [Completed]', 'its drain is ended by the next sweep');
  });

  it('keeps a frozen VIP, which is told at once with the command, and moved when it is unfrozen', async () => {
    const freeze = { untilMs: epochMs(Date.now() + 3_600_000), by: 'ann', reason: 'work' };
    await change((vip) => withFreeze(vip, freeze));
    const { departures } = await read(spot(id('a')));
    const told = await poll('the message', async () =>
      (await inbox.messages()).find(({ Subject }) => Subject!.includes('keeps VIPs')),
    );
    expect(told.Message).toContain(`vipshift unfreeze ${VIP} --stage`);
    expect((await stack.vips.read(VIP))!.owner).toBe(id('a'));
    await change(withoutFreeze);
    await settled(id('b'));
    expect((await departureOf(departures[0]!.name)).status).toBe('SUCCEEDED');
    note('spot warning, the VIP is frozen', `stays, told at once: ${told.Message.split('\n')[1]}`);
  });

  it('keeps a VIP that no other node can have, which is told at once', async () => {
    await stack.answered(await says(id('b'), 'FAULT'));
    await read(spot(id('a')));
    const told = await poll('the message', async () =>
      (await inbox.messages()).find(({ Message }) => Message.includes('no other node is eligible')),
    );
    expect(told.Subject).toContain('keeps VIPs');
    expect((await stack.vips.read(VIP))!.owner).toBe(id('a'));
    note('spot warning, the last eligible node', `stays, told at once: ${told.Message.split('\n')[1]}`);
  });
});

it('nothing else moves anything: each is ignored with its reason', async () => {
  const before = (await stack.vips.read(VIP))!.epoch;
  const old = iso(epochMs(Date.now() - 3_600_000)).replace(/\.\d+/, '');
  const ignored: [string, Event][] = [
    ['spot warning, an hour late', { ...spot(id('a')), time: old }],
    ['spot warning, an unknown instance', spot('i-0fffffffffffffff0')],
    ['spot warning, no action', event(spotWarning(), { 'instance-id': id('a'), 'instance-action': 'x' })],
    ['the same from another source', { ...spot(id('a')), source: 'com.example' }],
    [
      'an instance that stopped',
      { ...spot(id('a')), 'detail-type': 'EC2 Instance State-change Notification' },
    ],
    ['AWS Health, the copy for a backup Region', health(id('a'), { backupEvent: 'true' })],
    ['AWS Health, another Region', health(id('a'), { eventRegion: 'eu-west-9' })],
    ['AWS Health, a zone in trouble', health(id('a'), { eventTypeCategory: 'issue' })],
    [
      'AWS Health, a retirement that is over',
      health(id('a'), { startTime: 'Thu, 27 Aug 2020 13:19:03 GMT' }),
    ],
    ['AWS Health, no date', health(id('a'), { startTime: undefined })],
    ['AWS Health, a volume', health(id('a'), { affectedEntities: [{ entityValue: 'vol-0abc1234' }] })],
    ['rebalance recommendation', event(rebalanceAdvice(), { 'instance-id': id('a') })],
  ];
  for (const [what, of] of ignored) {
    const { departures, said } = await read(of);
    expect(departures, what).toEqual([]);
    note(what, said[0]!);
  }
  const vip = (await stack.vips.read(VIP))!;
  expect([vip.epoch, vip.drains]).toEqual([before, undefined]);
  const risk = (await orders()).filter((entry) => 'order' in entry && entry.order === 'at-risk');
  expect(risk).toHaveLength(1);
});
