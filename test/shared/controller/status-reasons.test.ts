// What a status answers first: what is wrong and why, whether a standby is ready, since when the owner has the VIP.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sinceAmong, sinceFrom } from '../../../shared/controller/status/ownership.ts';
import {
  isWell,
  RECONCILE_LATE,
  type StatusFacts,
  statusOf,
} from '../../../shared/controller/status/status.ts';
import type { NodeFacts } from '../../../shared/network/node-facts.ts';
import { durationMs, epochMs, hours, minus, plus, seconds } from '../../../shared/time.ts';
import type { FailoverInShort } from '../../../shared/timeline/query.ts';
import type { Lease } from '../../../shared/vip/lease.ts';
import { UNHEARD_AFTER } from '../../../shared/vip/unheard.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { addNode, item, owned, routeTo, START, says, V4, type World, world } from '../../support/world.ts';

/** `i-a` owns it, `i-b` stands by. */
async function pair(): Promise<World> {
  const w = await owned();
  await says(w, 'i-b', { state: 'BACKUP' });
  return w;
}
const statusNow = async (w: World, over: Partial<Vip> = {}, facts: StatusFacts = {}, now = w.clock.now()) =>
  statusOf({ ...item(w), ...over }, await w.ec2.observe(item(w)), now, facts);

const until = { untilMs: plus(START, hours(5)), by: 'ann', reason: 'window' };
const lease: Lease = {
  holder: 'h',
  epoch: 2,
  expiresAtMs: plus(START, hours(5)),
  cause: { kind: 'claim', node: 'i-b', why: 'i-b said MASTER', atMs: START },
};

describe('health and reason', () => {
  it('of a conflict name the cell and what is there, not what the election says', async () => {
    const w = await pair();
    w.ec2.enis.set('eni-x', {
      ...w.ec2.enis.get('eni-i-a-service')!,
      eni: 'eni-x',
      label: 'other',
      node: 'i-x',
    });
    routeTo(w, 'rtb-1', V4, { target: 'eni-x' });
    const { health, why } = await statusNow(w);
    expect(health).toBe('conflict');
    expect(why).toMatch(/^rtb-1 192\.168\.255\.10\/32 found eni-x: /);
  });

  it('of a split brain name both masters', async () => {
    const w = world();
    await says(w, 'i-a', { atMs: 0 });
    w.clock.set(plus(START, seconds(5)));
    await says(w, 'i-b', { atMs: 1000, priority: 90 });
    await says(w, 'i-a', { kind: 'assertion', sinceMs: 0 });
    expect(await statusNow(w)).toMatchObject({
      health: 'split brain',
      why: expect.stringMatching(/^i-a and i-b both report MASTER/),
    });
  });

  it('of drift name what the cell is, what it should be, and whose both are', async () => {
    const w = await pair();
    routeTo(w, 'rtb-2', V4, { target: 'eni-i-b-service' });
    expect(await statusNow(w)).toMatchObject({
      health: 'drift',
      why: 'rtb-2 192.168.255.10/32 is eni-i-b-service of i-b, expected eni-i-a-service of i-a',
    });
    const eip = w.ec2.eips.get('eipalloc-1')!;
    routeTo(w, 'rtb-2', V4, { target: 'eni-i-a-service' });
    w.ec2.eips.set('eipalloc-1', { ...eip, eni: 'eni-i-b-eip', privateAddress: '10.0.2.13' });
    expect((await statusNow(w)).why).toMatch(
      /^eipalloc-1 is eni-i-b-eip 10\.0\.2\.13 of i-b, expected eni-i-a-eip \S+ of i-a$/,
    );
  });

  it('say of every cell whether it is where it should be, also where the owner is not the elected node any more', async () => {
    const w = await pair();
    const status = await statusNow(w, { pin: { ...until, node: 'i-b' } });
    expect(status).toMatchObject({ health: 'drift', owner: 'i-a', elected: 'i-b' });
    expect([...status.routes, ...status.eips].map(({ right }) => right)).not.toContain(true);
  });

  it.each<[string, Partial<Vip>, string, RegExp]>([
    ['a freeze', { freeze: until }, 'frozen', /^frozen until \S+ by ann: window$/],
    ['a failover under way', { lease }, 'moving', /^epoch 2 is under way: i-b said MASTER$/],
    [
      'a suspended pin',
      { pin: { ...until, node: 'i-x' } },
      'unfit',
      /^the pin is suspended: i-x is not a member$/,
    ],
    [
      'no owner',
      { owner: undefined, claims: {} } as never,
      'no owner',
      /^no node owns it: none of i-a, i-b has reported/,
    ],
  ])('of %s', async (_what, over, health, why) => {
    const status = await statusNow(await pair(), over);
    expect(status.health).toBe(health);
    expect(status.why).toMatch(why);
  });

  it('never contradict each other: well and in sync go together, and every other health has its own sentence', async () => {
    const w = await pair();
    addNode(w.ec2, 'i-c');
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          freeze: fc.option(fc.constant(until), { nil: undefined }),
          pin: fc.option(fc.constantFrom('i-a', 'i-b', 'i-x'), { nil: undefined }),
          lease: fc.option(fc.constant(lease), { nil: undefined }),
          owner: fc.constantFrom('i-a', 'i-b', undefined),
          claims: fc.subarray(['i-a', 'i-b']),
          drift: fc.boolean(),
          lateMs: fc.constantFrom(0, UNHEARD_AFTER - 1, UNHEARD_AFTER),
        }),
        async ({ pin, claims, drift, lateMs, ...orders }) => {
          routeTo(w, 'rtb-2', V4, { target: drift ? 'eni-i-b-service' : 'eni-i-a-service' });
          const vip = item(w);
          const known = Object.fromEntries(claims.map((node) => [node, vip.claims[node]!]));
          const over = {
            ...orders,
            claims: known,
            pin: pin === undefined ? undefined : { ...until, node: pin },
          };
          const now = plus(w.clock.now(), durationMs(lateMs));
          const status = await statusNow(w, over as Partial<Vip>, {}, now);
          expect(status.health === 'well').toBe(status.why === 'in sync');
          expect(status.health === 'well').toBe(status.reasons.length === 0);
          if (status.health !== 'well') expect(status.why.startsWith(status.reasons[0]!)).toBe(true);
          expect(isWell(status)).toBe(status.health === 'well' || status.health === 'moving');
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a standby', () => {
  it('is ready when it is eligible and was heard; without one the VIP is not well', async () => {
    const w = await pair();
    expect((await statusNow(w)).standbys).toEqual([{ node: 'i-b', ready: true, why: [], ageMs: 0 }]);
    await says(w, 'i-b', { state: 'FAULT' });
    const status = await statusNow(w);
    expect(status).toMatchObject({ health: 'no standby', why: 'no standby is ready: i-b reported FAULT' });
    expect(isWell(status)).toBe(false);
    expect((await statusNow(await owned())).why).toBe('no standby is ready: i-b never reported');
  });

  it('that was not heard for two minutes is not ready, a moment before it is', async () => {
    const w = await pair();
    const { seenMs } = item(w).claims['i-b']!;
    const at = async (ms: number) => (await statusNow(w, {}, {}, epochMs(seenMs + ms))).standbys[0]!;
    expect(await at(UNHEARD_AFTER - 1)).toMatchObject({ ready: true });
    expect(await at(UNHEARD_AFTER)).toMatchObject({ ready: false, why: ['last heard 2 min ago'] });
  });

  it('needs a labelled ENI and an instance that runs, as far as EC2 tells', async () => {
    const w = await pair();
    const running = (state: string) => {
      const facts: NodeFacts = { node: 'i-b', name: 'right', state };
      return statusNow(w, {}, { instances: new Map([['i-b', facts]]) });
    };
    expect((await running('running')).standbys).toMatchObject([{ ready: true }]);
    expect(await running('stopped')).toMatchObject({
      standbys: [{ ready: false, why: ['the instance i-b is stopped, expected running'] }],
      nodes: { 'i-b': { name: 'right', zone: 'zone-i-b' }, 'i-a': { node: 'i-a', zone: 'zone-i-a' } },
    });
    w.ec2.enis.delete('eni-i-b-service');
    expect((await statusNow(w)).standbys[0]!.why.join()).toMatch(/^EC2 shows no ENI of i-b/);
  });
});

describe('an EC2 that does not answer', () => {
  it('leaves owner, standby and claims; nothing is said of routes, and the VIP is not well', async () => {
    const w = await pair();
    const unseen = 'routes are not known';
    const status = statusOf(item(w), undefined, w.clock.now(), { unseen });
    expect(status).toMatchObject({
      health: 'unseen',
      why: unseen,
      owner: 'i-a',
      routes: [],
      eips: [],
      drift: [],
    });
    expect(status.standbys).toMatchObject([{ node: 'i-b', ready: true }]);
    expect(isWell(status)).toBe(false);
    await says(w, 'i-b', { state: 'STOP' });
    expect(statusOf(item(w), undefined, w.clock.now(), { unseen }).standbys[0]!.why).toEqual([
      'reported STOP',
    ]);
  });
});

describe('the record', () => {
  const last = (from: string | undefined, to: string, atMs = START): FailoverInShort => ({
    ...{ vip: 'web', epoch: 3, outcome: 'switched', stages: [], atMs, cause: { why: 'w' } },
    ...(from === undefined ? { to } : { from, to }),
  });

  it('tells since when: exactly where its newest outcome moved the VIP, at least since then where it found it there', () => {
    expect(sinceFrom('i-a', last('i-b', 'i-a'))).toEqual({ atMs: START, isAtLeast: false });
    expect(sinceFrom('i-a', last(undefined, 'i-a'))).toEqual({ atMs: START, isAtLeast: false });
    expect(sinceFrom('i-a', last('i-a', 'i-a'))).toEqual({ atMs: START, isAtLeast: true });
    expect(sinceFrom('i-a', last('i-a', 'i-b')), 'a move that failed').toEqual({
      atMs: START,
      isAtLeast: true,
    });
    expect(sinceFrom('i-a', last('i-b', 'i-c'))).toBeUndefined();
    expect([sinceFrom('i-a', undefined), sinceFrom(undefined, last('i-b', 'i-a'))]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('tells it exactly where it is read further back', () => {
    const earlier = minus(START, hours(1));
    const moves = [
      last('i-a', 'i-a'),
      last('i-b', 'i-a', earlier),
      last('i-a', 'i-b', minus(START, hours(2))),
    ];
    expect(sinceAmong('i-a', moves)).toEqual({ atMs: earlier, isAtLeast: false });
    expect(sinceAmong('i-a', moves.slice(0, 1))).toEqual({ atMs: START, isAtLeast: true });
    expect(sinceAmong('i-c', moves)).toBeUndefined();
  });

  it('tells the outage from the node’s report to the last call, and nothing where nothing was moved', async () => {
    const stages = [
      { key: 'node-reported', stage: '', atMs: START },
      { key: 'claim-began', stage: '', atMs: plus(START, durationMs(100)) },
      { key: 'last-accepted', stage: '', atMs: plus(START, durationMs(150)) },
    ] as const;
    const w = await pair();
    const of = async (one: FailoverInShort) => (await statusNow(w, {}, { last: one })).lastFailover;
    expect(await of({ ...last('i-b', 'i-a'), stages })).toMatchObject({
      tookMs: 50,
      outageMs: 150,
      why: 'w',
    });
    expect(await of({ ...last('i-a', 'i-a'), stages })).not.toHaveProperty('outageMs');
    expect(await of(last('i-b', 'i-a'))).not.toHaveProperty('tookMs');
  });

  it('tells when reconcile confirmed it last, and that it is late', async () => {
    const w = await pair();
    const at = async (agoMs: number) =>
      (await statusNow(w, {}, { reconciledAtMs: minus(w.clock.now(), durationMs(agoMs)) })).isReconcileLate;
    expect([await at(RECONCILE_LATE - 1), await at(RECONCILE_LATE)]).toEqual([false, true]);
    expect(await statusNow(w)).not.toHaveProperty('isReconcileLate');
  });
});
