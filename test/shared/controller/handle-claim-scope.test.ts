// What a claim may move and what it may not: old owners, orders, and the things of others.
import { describe, expect, test } from 'vitest';
import { handleClaim, type ReceivedClaim } from '../../../shared/controller/handle-claim.ts';
import { minutes, plus, seconds } from '../../../shared/time.ts';
import {
  addTable,
  anyNode,
  change,
  entry,
  finish,
  heard,
  item,
  memberOf,
  outcomesOf,
  owned,
  reconciles,
  routeTo,
  START,
  says,
  targets,
  V4,
  type World,
} from '../../support/world.ts';

const [A, B] = [memberOf('i-a'), memberOf('i-b')];
const handle = (w: World, told: ReceivedClaim) => handleClaim(w.ports, told, anyNode);
const now = (w: World): number => w.clock.now() - START;

describe('the old owner', () => {
  const ways: Readonly<Record<string, (w: World) => void>> = {
    'lost its label on both ENIs': (w) => {
      for (const eni of [A.eni, A.eipEni]) {
        const { label: _label, ...untagged } = w.ec2.enis.get(eni)!;
        w.ec2.enis.set(eni, untagged);
      }
    },
    'was terminated with its ENIs': (w) => {
      for (const eni of [A.eni, A.eipEni]) w.ec2.enis.delete(eni);
      const { eni: _eni, privateAddress: _address, ...loose } = w.ec2.eips.get('eipalloc-1')!;
      w.ec2.eips.set('eipalloc-1', loose);
    },
    'has its ENIs detached': (w) => {
      for (const eni of [A.eni, A.eipEni]) {
        const { node: _node, ...detached } = w.ec2.enis.get(eni)!;
        w.ec2.enis.set(eni, detached);
      }
    },
  };
  for (const [what, happen] of Object.entries(ways)) {
    for (const reconciled of [false, true]) {
      const when = reconciled ? ', and reconcile has seen it' : '';
      test(`${what}${when}: that does not block the next one`, async () => {
        const w = await owned();
        happen(w);
        if (reconciled) await reconciles(w);
        await says(w, 'i-b');
        expect(outcomesOf(w).at(-1)).toMatchObject({ outcome: 'switched', conflicts: [], verified: true });
        expect([item(w).owner, targets(w)]).toEqual(['i-b', [B.eni]]);
        expect(w.ec2.eips.get('eipalloc-1')).toMatchObject({ eni: B.eipEni });
      });
    }
  }
});

describe('orders', () => {
  const order = (w: World) => ({ untilMs: plus(w.clock.now(), minutes(10)), by: 'ops', reason: 'work' });

  test('frozen: nothing moves, the claims are recorded, and after the freeze reconcile catches up', async () => {
    const w = await owned();
    const effects = w.ec2.effects.length;
    change(w, { freeze: order(w) });
    await says(w, 'i-b');
    expect(await reconciles(w)).toMatchObject({ did: 'nothing', why: 'frozen by order', drift: [] });
    expect(w.ec2.effects).toHaveLength(effects);
    expect(item(w)).toMatchObject({ owner: 'i-a', claims: { 'i-b': { state: 'MASTER' } } });
    await w.clock.advance(minutes(10));
    expect(await reconciles(w)).toMatchObject({ did: 'switched' });
    expect([item(w).owner, targets(w)]).toEqual(['i-b', [B.eni]]);
  });

  test('a pin is honoured against a newer MASTER, and suspended, with an alarm, when its node is unfit', async () => {
    const w = await owned();
    change(w, { pin: { ...order(w), node: 'i-a' } });
    await says(w, 'i-b');
    expect(targets(w)).toEqual([A.eni]);
    await w.clock.advance(seconds(5));
    await says(w, 'i-a', { state: 'FAULT' });
    expect(targets(w)).toEqual([B.eni]);
    expect(outcomesOf(w).at(-1)!.notes).toEqual(['pin suspended: the last report of i-a is FAULT']);
    expect(await reconciles(w)).toMatchObject({ suspendedPin: 'the last report of i-a is FAULT' });
  });
});

describe('scope', () => {
  test('a foreign living route is a conflict and is left alone; once it is dead it is taken over', async () => {
    const w = await owned();
    routeTo(w, 'rtb-1', V4, { target: 'tgw-1' });
    await says(w, 'i-b');
    expect(outcomesOf(w).at(-1)).toMatchObject({
      outcome: 'partial',
      conflicts: [{ cell: `rtb-1 ${V4}`, found: 'tgw-1', kind: 'foreign' }],
    });
    expect(w.ec2.tables.get('rtb-1')!.routes[V4]!.target).toBe('tgw-1');
    routeTo(w, 'rtb-1', V4, { target: 'tgw-1', state: 'blackhole' });
    await w.clock.advance(minutes(1));
    await reconciles(w);
    expect(targets(w)).toEqual([B.eni]);
  });

  test('a propagated route gets a static one next to it', async () => {
    const w = await owned();
    routeTo(w, 'rtb-1', V4, { target: 'vgw-1', propagated: true });
    await says(w, 'i-b');
    expect(w.ec2.tables.get('rtb-1')!.routes[V4]).toEqual({
      target: B.eni,
      state: 'active',
      propagated: false,
    });
    expect(outcomesOf(w).at(-1)).toMatchObject({ outcome: 'switched' });
  });

  test('two VIPs do not touch each other’s tables, though they share nodes', async () => {
    const w = await owned();
    const dns = { ...item(w), ...entry, name: 'dns', addresses: ['192.168.255.53/32'], eips: [] };
    w.vips.items.set('dns', { ...dns, tableLabels: ['dns'], claims: {}, epoch: 0 });
    addTable(w.ec2, 'rtb-dns', 'dns');
    const told = heard('i-b', { atMs: now(w), over: { vip: 'dns' } });
    expect((await finish(w, handle(w, told))).answer).toBe('switched');
    expect(targets(w)).toEqual([A.eni]);
    expect(w.ec2.tables.get('rtb-dns')!.routes['192.168.255.53/32']!.target).toBe(B.eni);
  });
});
