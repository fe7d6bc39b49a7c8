// What status, health and forecast make of a VIP, each sign for itself.
import { describe, expect, it } from 'vitest';
import { movesTo, ownerAfterFreeze, ownerAfterPin } from '../../../shared/controller/forecast.ts';
import { troubleOf } from '../../../shared/controller/health.ts';
import { type Change, concerns, type Hint, withStopped } from '../../../shared/controller/hint.ts';
import { isWell, statusOf } from '../../../shared/controller/status/status.ts';
import type { Mislabelled } from '../../../shared/network/labels.ts';
import { defined } from '../../../shared/optional.ts';
import { type EpochMs, epochMs, hours, plus, seconds } from '../../../shared/time.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { item, memberOf, owned, routeTo, START, says, V4, V6, type World } from '../../support/world.ts';

const until = (untilMs: EpochMs) => ({ untilMs, by: 'ann', reason: 'why' });
const HOUR = plus(START, hours(1));

/** `i-a` owns it, `i-b` stands by. */
async function pair(): Promise<World> {
  const w = await owned();
  await says(w, 'i-b', { state: 'BACKUP' });
  return w;
}
const statusNow = async (w: World, over: Partial<Vip> = {}, now = w.clock.now()) =>
  statusOf({ ...item(w), ...over }, await w.ec2.observe(item(w)), now);

describe('status', () => {
  it('of a VIP in good order is well, with every claim, route and EIP', async () => {
    const w = await pair();
    const status = await statusNow(w);
    expect(status).toMatchObject({
      health: 'well',
      owner: 'i-a',
      drift: [],
      conflicts: [],
      flapping: [],
      mislabelled: [],
    });
    expect(isWell(status)).toBe(true);
    expect(status.claims.map(({ node, state, member }) => [node, state, member])).toEqual([
      ['i-a', 'MASTER', true],
      ['i-b', 'BACKUP', true],
    ]);
    expect(status.routes).toHaveLength(8);
    for (const route of status.routes)
      expect(route).toMatchObject({ target: 'eni-i-a-service', node: 'i-a', blackhole: false, right: true });
    expect(status.eips).toEqual([
      {
        eip: 'eipalloc-1',
        publicAddress: '203.0.113.10',
        target: expect.any(String),
        node: 'i-a',
        right: true,
      },
    ]);
  });

  it('shows a route that leads nowhere, to another node, or is missing', async () => {
    const w = await pair();
    const eni = w.ec2.enis.get('eni-i-a-service')!;
    const { node: _node, ...loose } = eni;
    w.ec2.enis.set('eni-loose', { ...loose, eni: 'eni-loose' });
    routeTo(w, 'rtb-1', V4, { target: 'eni-loose' });
    routeTo(w, 'rtb-2', V4, { target: 'eni-i-b-service' });
    const table = w.ec2.tables.get('rtb-3')!;
    w.ec2.tables.set('rtb-3', { ...table, routes: { [V6]: table.routes[V6]! } });
    const { routes } = await statusNow(w);
    const of = (name: string) => routes.find((r) => r.table === name && r.address === V4);
    expect(of('rtb-1')).toMatchObject({ target: 'eni-loose', blackhole: true, right: false });
    expect(of('rtb-2')).toMatchObject({ node: 'i-b', blackhole: false, right: false });
    expect(of('rtb-3')).toMatchObject({ target: 'nothing', right: false });
    expect((await statusNow(w)).health).toBe('drift');
  });

  it('shows an EIP at another node, or nowhere; nothing is right where no node owns it', async () => {
    const w = await pair();
    const eip = w.ec2.eips.get('eipalloc-1')!;
    w.ec2.eips.set('eipalloc-1', { ...eip, eni: 'eni-i-b-eip', privateAddress: '10.0.2.13' });
    expect((await statusNow(w)).eips).toMatchObject([{ node: 'i-b', right: false }]);
    w.ec2.eips.delete('eipalloc-1');
    expect((await statusNow(w)).eips).toMatchObject([
      { publicAddress: 'not found by its tag', right: false },
    ]);
    const { owner: _owner, ...nowhere } = item(w);
    const status = statusOf({ ...nowhere, claims: {} }, await w.ec2.observe(item(w)), w.clock.now());
    expect([...status.routes, ...status.eips].map(({ right }) => right)).not.toContain(true);
  });

  it('shows pin and freeze until they end, not at that instant any more', async () => {
    const w = await pair();
    const orders = { pin: { node: 'i-a', ...until(HOUR) }, freeze: until(HOUR) };
    expect(await statusNow(w, orders)).toMatchObject({ ...orders, health: 'frozen' });
    const after = await statusNow(w, { ...orders, heard: [] }, HOUR);
    expect([after.pin, after.freeze]).toEqual([undefined, undefined]);
  });

  it('shows by which ways a node has reported its last transition, where it was not the bus alone', async () => {
    const w = await pair();
    const { claims } = item(w);
    const of = async (ways?: 'direct' | 'both') => {
      const heard = { ...claims['i-a']!, ...defined({ ways }) };
      const { claims: shown } = await statusNow(w, { claims: { ...claims, 'i-a': heard } });
      return shown.find(({ node }) => node === 'i-a')!.ways;
    };
    expect([await of(), await of('direct'), await of('both')]).toEqual([undefined, 'direct', 'both']);
  });

  it('shows the claim of a node that is not a member, and a VIP with something mislabelled is not well', async () => {
    const w = await pair();
    const { 'i-b': _b, ...members } = item(w).members;
    expect((await statusNow(w, { members })).claims).toMatchObject([
      { node: 'i-a' },
      { node: 'i-b', member: false },
    ]);
    const one: Mislabelled = {
      ...{ kind: 'table', id: 'rtb-9', tag: 't' },
      ...{ is: 'unused', key: 't', value: 'wbe', meant: [] },
    };
    const status = statusOf(item(w), await w.ec2.observe(item(w)), w.clock.now(), {
      mislabelled: [one, one],
    });
    expect([status.health, isWell(status)]).toEqual(['mislabelled', false]);
    expect(status.why).toMatch(/and 1 more$/);
    expect(isWell({ ...status, health: 'moving' }), 'also while it moves').toBe(false);
  });
});

describe('trouble', () => {
  const none = { conflicts: [], flapping: [] };
  it('is nothing in good order, and before any node has reported', async () => {
    const w = await pair();
    expect(troubleOf(item(w), none)).toEqual([]);
    expect(troubleOf({ ...item(w), claims: {}, members: {} }, none)).toEqual([]);
  });

  it.each([
    ['a node that EC2 does not show', {}, { unseen: 'i-b' }, /i-b/],
    ['a suspended pin', {}, { suspendedPin: 'why' }, /^the pin is suspended: why$/],
    [
      'a cell left alone',
      {},
      { conflicts: [{ cell: 'rtb-1', found: 'eni-x', why: 'w', kind: 'foreign' as const }], flapping: [] },
      /^left alone: rtb-1 \(eni-x\)/,
    ],
    ['no owner', { owner: undefined }, {}, /^no node owns the VIP$/],
    ['an owner that is not a member', { owner: 'i-gone' }, {}, /^the owner is unfit: .*i-gone/],
    [
      'a single node',
      { members: { 'i-a': memberOf('i-a') } },
      {},
      /^there is no second node to fail over to$/,
    ],
  ])('is %s', async (_what, over, signs, sentence) => {
    const w = await pair();
    expect(troubleOf({ ...item(w), ...over } as Vip, { ...none, ...signs })).toEqual([
      expect.stringMatching(sentence),
    ]);
  });

  it('is a standby, or the owner, that withdrew itself', async () => {
    const w = await pair();
    await says(w, 'i-b', { state: 'FAULT' });
    expect(troubleOf(item(w), none)).toEqual([expect.stringMatching(/^a standby is unfit: .*i-b is FAULT/)]);
    expect(troubleOf({ ...item(w), owner: 'i-b' }, none)).toEqual([
      expect.stringMatching(/^the owner is unfit/),
    ]);
  });
});

describe('a forecast', () => {
  it('says where the VIP goes when a pin or a freeze ends, and after a change', async () => {
    const w = await pair();
    const now = w.clock.now();
    const pinned: Vip = { ...item(w), pin: { node: 'i-b', ...until(plus(now, seconds(1))) } };
    expect(movesTo(item(w), now)).toBeUndefined();
    expect(movesTo(pinned, now)).toBe('i-b');
    expect(ownerAfterPin(pinned), 'keepalived’s own master').toBe('i-a');
    expect(ownerAfterPin(item(w))).toBeUndefined();
    const standbys = { 'i-a': { ...item(w).claims['i-a']!, state: 'BACKUP' as const } };
    expect(
      ownerAfterPin({ ...pinned, claims: standbys, owner: 'i-a' }),
      'with no master it stays there',
    ).toBe('i-b');
    expect(ownerAfterFreeze({ ...item(w), freeze: until(plus(now, seconds(1))), owner: 'i-b' })).toBe('i-a');
    expect(ownerAfterFreeze(item(w))).toBeUndefined();
  });
});

describe('a hint', () => {
  const change: Change = {
    ...{ kind: 'change', id: 'e', by: 'ann', call: 'ReplaceRoute', atMs: START },
    ...{ destinations: [], things: [], labels: [] },
  };
  const cases: readonly (readonly [string, Partial<Change>, boolean])[] = [
    ['a route to an address of the VIP', { destinations: [V6] }, true],
    ['a route to another address', { destinations: ['192.0.2.9/32'] }, false],
    ['an EIP of the VIP', { things: ['eipalloc-1'] }, true],
    ['a member’s ENI', { things: ['eni-i-b-service'] }, true],
    ['a member’s ENI for EIPs', { things: ['eni-i-b-eip'] }, true],
    ['a table', { things: ['rtb-1'] }, false],
    ['a label of its tables and nodes', { labels: ['web'] }, true],
    ['a label of its ENIs for EIPs', { labels: ['web:eip'] }, true],
    ['another label', { labels: ['db'] }, false],
    ['an EIP that was taken away from who knows where', { call: 'DisassociateAddress' }, true],
  ];
  it.each(cases)('of %s concerns it: %s', async (_what, over, concerned) => {
    const w = await pair();
    expect(concerns({ ...change, ...over }, item(w))).toBe(concerned);
    expect(concerns({ ...change, ...over }, { ...item(w), removedAtMs: START })).toBe(false);
    if (over.call !== undefined)
      expect(concerns({ ...change, ...over }, { ...item(w), eips: [] })).toBe(false);
  });

  const hint = (state: string, atMs: EpochMs): Hint => ({ kind: 'node', node: 'i-a', state, atMs });
  it.each([
    ...['stopping', 'stopped', 'shutting-down', 'terminated'].map((state) => [state, 'STOP']),
    ...['pending', 'running', 'rebooting'].map((state) => [state, 'MASTER']),
  ] as const)('that an instance is %s leaves the node’s report at %s', async (state, wanted) => {
    const w = await pair();
    expect(withStopped(item(w), hint(state, w.clock.now())).claims['i-a']!.state).toBe(wanted);
  });

  it('is older than what the node said after it, by whole seconds', async () => {
    const w = await pair();
    const { seenMs } = item(w).claims['i-a']!;
    const at = (ms: number) =>
      withStopped(item(w), hint('stopped', epochMs(seenMs + ms))).claims['i-a']!.state;
    expect([at(-1000), at(-999), at(0)]).toEqual(['MASTER', 'STOP', 'STOP']);
    await says(w, 'i-a', { state: 'FAULT' });
    expect(withStopped(item(w), hint('stopped', w.clock.now())), 'it withdrew itself').toBe(item(w));
  });
});
