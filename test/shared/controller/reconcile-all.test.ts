// The sweep's own time: what it begins, what it leaves, and that nothing is left for ever.
import { describe, expect, test } from 'vitest';
import {
  LOOK_MAX_AGE,
  lastDraw,
  RESERVE,
  reconcileAll,
  reconcileFor,
  rotated,
} from '../../../shared/controller/reconcile-all.ts';
import { Fault } from '../../../shared/fault.ts';
import type { Observation } from '../../../shared/network/observation.ts';
import { durationMs, minutes, plus } from '../../../shared/time.ts';
import { newVip, type Scope, type Vip } from '../../../shared/vip/vip.ts';
import {
  entry,
  finish,
  item,
  memberOf,
  owned,
  routeTo,
  START,
  targets,
  V4,
  type World,
  world,
} from '../../support/world.ts';

const nameOf = (n: number) => `vip-${String(n).padStart(4, '0')}`;
const many = (count: number): Vip[] =>
  Array.from({ length: count }, (_, n) => newVip({ ...entry, name: nameOf(n), eips: [] }));

/** A world of that many VIPs, each of which takes that long to be looked at; the invocation lasts as told. */
function slow(count: number, lookMs: number, lastsMs: number): World {
  const w = world([]);
  w.vips.items.clear();
  for (const vip of many(count)) w.vips.items.set(vip.name, vip);
  const observe = w.ec2.observe.bind(w.ec2);
  w.ports.ec2.observeAll = () => Promise.reject(new Error('no look for all'));
  w.ports.ec2.observe = async (scope) => {
    await w.clock.wait(durationMs(lookMs));
    return observe(scope);
  };
  return { ...w, ports: { ...w.ports, deadline: plus(START, durationMs(lastsMs)) } };
}

describe('a sweep whose time is up', () => {
  test('begins no VIP any more, finishes those that it began, and tells the rest as left', async () => {
    const w = slow(60, 10_000, 120_000);
    const swept = await finish(w, reconcileAll(w.ports));
    // Eight at once, begun in the first half: at 0, 10, … 50 s.
    expect([swept.reports.length, swept.failures.length, swept.left.length]).toEqual([48, 0, 12]);
    expect(new Set([...swept.reports.map((r) => r.vip), ...swept.left]).size, 'each once').toBe(60);
    expect(w.clock.now() - START, 'and none outlives the invocation').toBeLessThan(120_000);
  });

  test('leaves RESERVE for what was begun last, or half of an invocation that is shorter than twice that', () => {
    const within = (ms: number) => lastDraw(START, plus(START, durationMs(ms))) - START;
    expect(within(300_000)).toBe(300_000 - RESERVE);
    expect(within(2 * RESERVE)).toBe(RESERVE);
    expect(within(60_000)).toBe(30_000);
    expect(within(-1), 'nothing is begun when it is over').toBeLessThanOrEqual(0);
  });

  test('the same for a hint: a zone that fails concerns many VIPs', async () => {
    const w = slow(60, 10_000, 120_000);
    for (const [name, vip] of w.vips.items)
      w.vips.items.set(name, { ...vip, members: { 'i-a': memberOf('i-a') } });
    const hint = { kind: 'node', node: 'i-a', state: 'running', atMs: START } as const;
    expect((await finish(w, reconcileFor(w.ports, hint))).left).toHaveLength(12);
  });
});

describe('where a sweep begins', () => {
  const drawn = (vips: readonly Vip[], minute: number, count: number) =>
    rotated(vips, plus(START, minutes(minute)))
      .slice(0, count)
      .map((vip) => vip.name);

  test('every VIP once, in the order of their names, whatever order they are listed in', () => {
    const vips = many(100);
    const turn = drawn(vips, 7, 100);
    expect(drawn([...vips].reverse(), 7, 100)).toEqual(turn);
    expect([...turn].sort()).toEqual(vips.map((vip) => vip.name));
    const first = turn.indexOf(nameOf(0));
    expect([...turn.slice(first), ...turn.slice(0, first)]).toEqual(vips.map((vip) => vip.name));
  });

  test.each([
    [1000, 500],
    [1000, 270],
    [1000, 100],
    [1000, 10],
    [37, 5],
    [8, 1],
  ])(
    'of %i VIPs, %i in each sweep: none waits w than three times as many sweeps as it must',
    (count, covered) => {
      const vips = many(count);
      const within = 3 * Math.ceil(count / covered);
      const lastAt = new Map(vips.map((vip) => [vip.name, 0]));
      for (let minute = 1; minute <= 4 * within; minute++)
        for (const name of drawn(vips, minute, covered)) {
          expect(minute - lastAt.get(name)!, name).toBeLessThanOrEqual(within);
          lastAt.set(name, minute);
        }
      for (const [name, minute] of lastAt) expect(4 * within - minute, name).toBeLessThanOrEqual(within);
    },
  );

  test('a sweep that always began at the first name would starve the last ones', () => {
    // The negative control of the test above: without the rotation it fails.
    const fixed = many(1000).slice(0, 270);
    expect(fixed.some((vip) => vip.name === nameOf(999))).toBe(false);
    expect(drawn(many(1000), 1, 270)).not.toEqual(drawn(many(1000), 2, 270));
  });
});

test('two runs at once repair drift once:  what one has a lease on, the other one skips or finds repaired', async () => {
  const w = await owned();
  await w.clock.advance(minutes(1));
  routeTo(w, 'rtb-1', V4, { target: memberOf('i-b').eni });
  const { epoch } = item(w);
  const effects = w.ec2.effects.length;
  const both = Promise.all([reconcileAll(w.ports), reconcileAll(w.ports)]);
  const did = (await finish(w, both)).flatMap((swept) => swept.reports.map((report) => report.did));
  expect(did.filter((what) => what === 'switched')).toHaveLength(1);
  expect([item(w).epoch, w.ec2.effects.length]).toEqual([epoch + 1, effects + 1]);
  expect(targets(w)).toEqual([memberOf('i-a').eni]);
});

test('EIPs of two VIPs that were put on the same address are both set again in the same sweep', async () => {
  const w = await owned();
  w.vips.items.set('db', { ...item(w), name: 'db', addresses: ['192.168.255.11/32'], eips: ['eipalloc-3'] });
  w.ec2.eips.set('eipalloc-1', { eip: 'eipalloc-1', publicAddress: '203.0.113.10', label: 'web' });
  w.ec2.eips.set('eipalloc-3', { eip: 'eipalloc-3', publicAddress: '203.0.113.11', label: 'web' });
  const apply = w.ports.ec2.apply.bind(w.ports.ec2);
  const chosen: string[] = [];
  // The second VIP's request takes effect when the first one has read back what it did.
  w.ports.ec2.apply = async (step, mayStart) => {
    if (step.call !== 'AssociateAddress') return apply(step, mayStart);
    chosen.push(step.privateAddress);
    if (step.eip === 'eipalloc-3' && chosen.length <= 2) await w.clock.wait(durationMs(1000));
    return apply(step, mayStart);
  };
  const swept = await finish(w, reconcileAll(w.ports));
  expect(chosen[0], 'both saw the same address free').toBe(chosen[1]);
  expect(swept.reports.map(({ vip }) => vip).sort()).toEqual(['db', 'web']);
  expect(swept.repeated?.map(({ vip }) => vip).sort()).toEqual(['db', 'web']);
  const places = ['eipalloc-1', 'eipalloc-3'].map((eip) => w.ec2.eips.get(eip)!);
  expect(places.map(({ eni }) => eni)).toEqual(['eni-i-a-eip', 'eni-i-a-eip']);
  expect(new Set(places.map(({ privateAddress }) => privateAddress)).size).toBe(2);
  expect(swept.left).toEqual([]);
});

test('a sweep in which each EIP has an address of its own looks once', async () => {
  const w = await owned();
  w.ec2.eips.set('eipalloc-1', { eip: 'eipalloc-1', publicAddress: '203.0.113.10', label: 'web' });
  const swept = await finish(w, reconcileAll(w.ports));
  expect(swept.reports.map(({ did }) => did)).toEqual(['switched']);
  expect(swept.repeated).toBeUndefined();
});

test('an EIP that was refused at an address displaces no one there: nothing is looked at again', async () => {
  const w = await owned();
  w.vips.items.set('db', { ...item(w), name: 'db', addresses: ['192.168.255.11/32'], eips: ['eipalloc-3'] });
  for (const eip of ['eipalloc-1', 'eipalloc-3'])
    w.ec2.eips.set(eip, { eip, publicAddress: `203.0.113.${eip.length}`, label: 'web' });
  const apply = w.ports.ec2.apply.bind(w.ports.ec2);
  w.ports.ec2.apply = (step, mayStart) =>
    step.call === 'AssociateAddress' && step.eip === 'eipalloc-3'
      ? Promise.reject(new Fault('denied', 'UnauthorizedOperation', 'no'))
      : apply(step, mayStart);
  expect((await finish(w, reconcileAll(w.ports))).repeated).toBeUndefined();
});

test.each([
  [1, 0],
  [2, 1],
])('of %i VIPs %i looks are for all: one alone looks for itself, at less', async (count, looks) => {
  const w = slow(count, 0, 600_000);
  let forAll = 0;
  w.ports.ec2.observeAll = async () => {
    forAll += 1;
    return new Map();
  };
  await finish(w, reconcileAll(w.ports));
  expect(forAll).toBe(looks);
});

test('a look for all counts from its end: the pages of a large account take their time', async () => {
  const w = slow(2, 0, 600_000);
  let looked = 0;
  const observe = w.ports.ec2.observe.bind(w.ports.ec2);
  w.ports.ec2.observe = (scope) => {
    looked += 1;
    return observe(scope);
  };
  w.ports.ec2.observeAll = async (scopes: readonly Scope[]) => {
    const beganAtMs = w.clock.now();
    await w.clock.wait(durationMs(LOOK_MAX_AGE + 1));
    const seen = {
      source: 'ec2',
      beganAtMs,
      endedAtMs: w.clock.now(),
      tables: [],
      enis: [],
      eips: [],
    } as const;
    return new Map<string, Observation>(scopes.map((scope) => [scope.name, seen]));
  };
  await finish(w, reconcileAll(w.ports));
  expect(looked).toBe(0);
});

test('a VIP that is drawn long after the look for all looks for itself', async () => {
  const w = slow(17, 0, 600_000);
  w.ports.ec2.observeAll = async (scopes: readonly Scope[]) => {
    const now = w.clock.now();
    const seen = { source: 'ec2', beganAtMs: now, endedAtMs: now, tables: [], enis: [], eips: [] } as const;
    return new Map<string, Observation>(scopes.map((scope) => [scope.name, seen]));
  };
  const read = w.ports.vips.read.bind(w.ports.vips);
  w.ports.vips.read = async (name) => {
    await w.clock.wait(durationMs((LOOK_MAX_AGE * 3) / 4));
    return read(name);
  };
  const looked: string[] = [];
  const observe = w.ports.ec2.observe.bind(w.ports.ec2);
  w.ports.ec2.observe = (scope) => {
    looked.push(scope.name);
    return observe(scope);
  };
  await finish(w, reconcileAll(w.ports));
  // Eight are drawn at once, eight after three quarters of LOOK_MAX_AGE, one after six.
  expect(looked).toHaveLength(1);
});
