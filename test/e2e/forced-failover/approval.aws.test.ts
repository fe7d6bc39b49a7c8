// A forced failover that waits for its approval while the world goes on: what has changed meanwhile is seen before anybody is
// demoted. On the local AWS, with the nodes played; nothing here waits by the clock.
import { afterEach, describe, expect, it } from 'vitest';
import { poll } from '../../../lab/aws/stack/poll.ts';
import { VIP } from '../../../lab/aws/stack/stack.ts';
import { epochMs } from '../../../shared/time.ts';
import { withFreeze, withPin } from '../../../shared/vip/vip.ts';
import { call, type Ended, ended } from '../stage/aws-json.ts';
import {
  asKeepalivedDoes,
  begin,
  change,
  expectOn,
  id,
  lastName,
  lastReport,
  nodes,
  orders,
  says,
  settled,
  stack,
  stageOrders,
} from '../stage/order-stage.ts';

stageOrders();

const until = { untilMs: epochMs(Date.now() + 3_600_000), by: 'someone else', reason: 'hands off' };
const yes = { approved: true, by: 'arn:aws:iam::1:user/second', reason: 'go' };

/** An order via keepalived; while it waits for its approval, `meanwhile` happens; then it is answered. */
async function approvedAfter(meanwhile: () => Promise<unknown>, answer: unknown = yes): Promise<Ended> {
  const execution = await begin({ mode: 'via-keepalived', approval: true });
  const { token } = await poll('the request for approval', async () =>
    (await stack.entries(`approval/${VIP}`)).find((entry) => entry.execution === lastName()),
  );
  await meanwhile();
  await call(stack.aws, 'AWSStepFunctions.SendTaskSuccess', {
    taskToken: token,
    output: JSON.stringify(answer),
  });
  return ended(stack.aws, execution);
}

describe('an approval that comes after the world has changed', () => {
  // Back into the registry, for the next one.
  afterEach(() =>
    change((vip) => {
      const { removedAtMs, ...rest } = vip;
      return removedAtMs === undefined ? vip : rest;
    }),
  );

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'the target is in FAULT',
      async () => stack.answered(await says(id('b'), 'FAULT')),
      /not fit: the last report of i-\w+ is FAULT/,
    ],
    [
      'someone froze the VIP',
      () => change((vip) => withFreeze(vip, until)),
      /frozen until .* by someone else/,
    ],
    [
      'someone pinned it to its owner',
      () => change((vip) => withPin(vip, { ...until, node: id('a') })),
      /pinned to i-\w+ until .* by someone else/,
    ],
    [
      'the VIP has moved',
      async () => {
        await says(id('a'), 'FAULT');
        await says(id('b'), 'MASTER');
        await settled(id('b'));
      },
      /i-\w+ is the owner already/,
    ],
    [
      'the VIP was removed',
      () => change((vip) => ({ ...vip, removedAtMs: epochMs(Date.now()) })),
      /VIP web is not in the registry/,
    ],
  ])('demotes no one where %s: it is refused, and someone is told why', async (_what, meanwhile, why) => {
    const end = await approvedAfter(meanwhile);
    expect(end).toMatchObject({ status: 'FAILED', error: 'FailoverRefused' });
    expect(end.cause).toMatch(why);
    expect(nodes.commands).toEqual([]);
    expect(end.states.filter((name) => ['recordOrder', 'demote', 'switchVip'].includes(name))).toEqual([]);
    expect((await lastReport()).Message).toMatch(why);
    expect((await stack.vips.read(VIP))?.forced).toBeUndefined();
  });

  it('is carried out where all is as it was, and leaves nothing of it in the item', async () => {
    nodes.onCommand = asKeepalivedDoes;
    const end = await approvedAfter(async () => {});
    expect([end.status, end.cause]).toEqual(['SUCCEEDED', undefined]);
    expect(nodes.commands.map((c) => c.node)).toEqual([id('a')]);
    await expectOn('b');
    expect((await stack.vips.read(VIP))?.forced).toBeUndefined();
  });
});

describe('an answer that is no decision', () => {
  it.each([{ approved: 'true', by: 'x' }, { approved: true }, {}, 'yes', null])(
    '%j approves nothing, ends as denied, and is recorded and reported as that',
    async (answer) => {
      const end = await approvedAfter(async () => {}, answer);
      expect(end).toMatchObject({ status: 'FAILED', error: 'FailoverDenied' });
      expect(end.cause).toContain('is no decision');
      expect(nodes.commands).toEqual([]);
      const told = (await orders()).filter((o) => String(o.id).includes(`/${lastName()}/`));
      expect(told.map((o) => o.order)).toEqual(['deny']);
      expect((await lastReport()).Message).toContain('Not approved: the answer was malformed');
    },
  );
});

describe('an order that is stopped after the demotion', () => {
  /** The master steps down, and then this happens instead of the other node's taking over. */
  const stoppedBy = async (how: () => Promise<unknown>): Promise<Ended> => {
    nodes.onCommand = async (command) => {
      if (!command.demoted) return asKeepalivedDoes(command);
      await stack.answered(await says(command.node, 'FAULT'));
      await how();
    };
    return ended(stack.aws, await begin({ mode: 'via-keepalived', claimWaitSeconds: 240 }));
  };

  it.each<[string, () => Promise<unknown>, string]>([
    ['a freeze', () => change((vip) => withFreeze(vip, until)), 'frozen until'],
    ['a freeze of an older command line', () => change((vip) => ({ ...vip, freeze: until })), 'frozen until'],
    [
      'the target’s fault',
      async () => stack.answered(await says(id('b'), 'FAULT')),
      'cannot take over: the last report of',
    ],
  ])(
    'by %s raises the old master again at once, not after the claim’s four minutes',
    async (_what, how, why) => {
      const end = await stoppedBy(how);
      expect(end).toMatchObject({ status: 'FAILED', error: 'FailoverFailed' });
      expect(end.cause).toContain(why);
      expect(end.states).toEqual(expect.arrayContaining(['awaitClaim', 'undo', 'promote', 'switchBack']));
      expect(nodes.commands.map((c) => [c.node, c.demoted])).toEqual([
        [id('a'), true],
        [id('a'), false],
      ]);
      expect((await lastReport()).Message).toContain(`Raised again: ${id('a')}`);
      expect((await stack.vips.read(VIP))?.forced).toBeUndefined();
    },
  );
});
