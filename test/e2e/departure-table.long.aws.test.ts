// The table of docs/failover.md, each cell played on the deployed functions: every kind of warning, once, doubled, late, malformed, for an
// unknown instance, for a frozen VIP, for the last eligible node. The way there (rules, workflows) is departure.long.aws.test.ts's; here a
// departure is started once for each name, as Step Functions does it. Prints the table.
import { CreateTagsCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { invoke, VIP } from '../../lab/aws/stack/stack.ts';
import type { Round } from '../../shared/departure/leave.ts';
import type { Warned } from '../../shared/departure/warned.ts';
import { epochMs, iso } from '../../shared/time.ts';
import { withFreeze, withoutDrain } from '../../shared/vip/vip.ts';
import { scheduledCodes } from '../../shared/warning/scheduled.ts';
import { text } from '../docs/pages.ts';
import { tableOf } from '../docs/tables.ts';
import { healthEvent, listedEvent, rebalanceAdvice, spotWarning } from '../support/warnings.ts';
import { change, expectOn, id, orders, says, settled, stack, stageOrders } from './stage/order-stage.ts';

const UNKNOWN = 'i-0fffffffffffffff0';
const HOUR_MS = 3_600_000;
const cases = [
  'once',
  'doubled',
  'late',
  'malformed',
  'unknown instance',
  'frozen VIP',
  'last node',
] as const;
type Case = (typeof cases)[number];

type Event = Record<string, unknown>;
let events = 0;
const stamp = (agoMs: number): string => iso(epochMs(Date.now() - agoMs)).replace(/\.\d+/, '');
const made = (of: Event, detail: object, agoMs = 0): Event => ({
  ...of,
  id: `table-${++events}`,
  time: stamp(agoMs),
  region: stack.aws.region,
  detail: { ...(of.detail as object), ...detail },
});

const stateChange = (node: unknown, agoMs: number): Event =>
  made(
    { source: 'aws.ec2', 'detail-type': 'EC2 Instance State-change Notification', detail: {} },
    {
      ...{ 'instance-id': node, state: 'stopped' },
    },
    agoMs,
  );
/** No two are about the same date: their departures have their own names. */
const inMinutes = (n: number): number => Math.ceil(Date.now() / 1000) * 1000 + n * 60_000 + ++events * 1000;

const health =
  (code: string, minutes: number) =>
  (node: string, agoMs: number): Event =>
    made(healthEvent(), {
      ...{ eventTypeCode: code, eventRegion: stack.aws.region },
      startTime: new Date(agoMs > 0 ? Date.now() - 72 * HOUR_MS : inMinutes(minutes)).toUTCString(),
      affectedEntities: [{ entityValue: `arn:aws:ec2:${stack.aws.region}:1:instance/${node}` }],
    });
const listed =
  (code: string) =>
  (node: string, agoMs: number): Event =>
    made(listedEvent(), {
      ...{ node, code, notBeforeMs: agoMs > 0 ? Date.now() - 72 * HOUR_MS : inMinutes(5) },
    });

interface Kind {
  readonly name: string;
  /** `agoMs`: how late it comes; of what has a date, how long ago that was. */
  event(node: string, agoMs: number): Event;
  /** The same without what it needs. */
  malformed(event: Event): Event;
}
const without = (field: string) => (event: Event) => ({
  ...event,
  detail: { ...(event.detail as object), [field]: undefined },
});
const kinds: readonly Kind[] = [
  {
    name: 'spot interruption warning',
    event: (node, agoMs) => made(spotWarning(), { 'instance-id': node }, agoMs),
    malformed: without('instance-action'),
  },
  {
    name: 'rebalance recommendation',
    event: (node, agoMs) => made(rebalanceAdvice(), { 'instance-id': node }, agoMs),
    malformed: without('instance-id'),
  },
  { name: 'state change: stopped', event: stateChange, malformed: without('instance-id') },
  {
    name: 'AWS Health: retirement',
    event: health('AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED', 9 * 24 * 60),
    malformed: without('startTime'),
  },
  {
    name: 'AWS Health: reboot in 5 min',
    event: health('AWS_EC2_INSTANCE_REBOOT_MAINTENANCE_SCHEDULED', 5),
    malformed: without('startTime'),
  },
  ...scheduledCodes.map((code) => ({
    ...{ name: `EC2’s list: ${code}`, event: listed(code), malformed: without('notBeforeMs') },
  })),
];

const ofReconcile = (event: object) => invoke(stack.aws, stack.deployment.functions.reconcile, event);
const step = <T>(state: string, execution: string, story: object) =>
  ofReconcile({ state, execution, stage: stack.deployment.stage, story }) as Promise<T>;

interface Played {
  readonly said: readonly string[];
  readonly rounds: readonly Round[];
}

/** What the workflows `warning` and `departure` ask for each event, one round; a name that exists is not started again. */
async function play(all: readonly Event[]): Promise<Played> {
  const said: string[] = [];
  const started = new Map<string, Round>();
  for (const event of all) {
    if (event['detail-type'] === 'EC2 Instance State-change Notification') {
      await ofReconcile(event);
      continue;
    }
    const warned = await step<Warned>('readWarning', 'warning', { input: event });
    said.push(...warned.said);
    for (const { name, input } of warned.departures)
      if (!started.has(name)) started.set(name, await step<Round>('leaveNode', name, { input }));
  }
  return { said, rounds: [...started.values()] };
}

async function cellOf(kind: Kind, of: Case): Promise<string> {
  const freeze = { untilMs: epochMs(Date.now() + HOUR_MS), by: 'ann', reason: 'work' };
  if (of === 'frozen VIP') await change((vip) => withFreeze(vip, freeze));
  if (of === 'last node') await stack.answered(await says(id('b'), 'FAULT'));
  const before = (await orders()).length;
  const event = kind.event(of === 'unknown instance' ? UNKNOWN : id('a'), of === 'late' ? HOUR_MS : 0);
  const all = of === 'doubled' ? [event, event] : [of === 'malformed' ? kind.malformed(event) : event];
  const { said, rounds } = await play(all);
  const vip = (await stack.vips.read(VIP))!;
  const recorded = (await orders()).slice(before);
  reasons.push([kind.name, of, rounds[0]?.alarm?.text.split('\n')[1] ?? said[0] ?? '']);
  if (vip.owner === id('b')) {
    await expectOn('b');
    expect(recorded).toMatchObject([{ order: 'drain', node: id('a') }]);
    return 'moved';
  }
  await expectOn('a');
  if (rounds[0]?.alarm !== undefined) return 'stays, told';
  if (vip.atRisk?.[id('a')] !== undefined) {
    expect(recorded).toMatchObject([{ order: 'at-risk' }]);
    return 'at risk';
  }
  expect(recorded).toEqual([]);
  return vip.claims[id('a')]?.state === 'STOP' ? 'a counts as stopped' : 'ignored';
}

const reasons: string[][] = [];
const played = new Map<string, string[]>();
beforeEach(() =>
  change((vip) => {
    const { atRisk: _atRisk, ...rest } = withoutDrain(vip, id('a'));
    return rest;
  }),
);
stageOrders();
afterAll(() => {
  for (const [name, cells] of played)
    console.log([name.padEnd(34), ...cells.map((c) => c.padEnd(20))].join(''));
  console.log(
    reasons
      .filter(([, , why]) => why !== '')
      .map((one) => one.join(': '))
      .join('\n'),
  );
});

const expected = new Map(
  tableOf(text('docs/failover.md'), 'what AWS says', ...cases).map(([name, ...cells]) => [name!, cells]),
);

it('the page has every kind of warning', () => {
  expect([...expected.keys()]).toEqual(kinds.map(({ name }) => name));
});

describe.each(kinds)('$name', (kind) => {
  it.each(cases)('%s', async (of) => {
    const cell = await cellOf(kind, of);
    played.set(kind.name, [...(played.get(kind.name) ?? []), cell]);
    expect(cell).toBe(expected.get(kind.name)![cases.indexOf(of)]);
  });
});

it.each(scheduledCodes)('the sweep finds %s by itself', async (code) => {
  const Value = `${code}/${iso(epochMs(inMinutes(5)))}/scheduled`;
  const Tags = [{ Key: 'lab:scheduled', Value }];
  await stack.ec2.send(new CreateTagsCommand({ Resources: [id('a')], Tags }));
  await ofReconcile({});
  await settled(id('b'));
});
