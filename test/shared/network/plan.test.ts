import { describe, expect, test } from 'vitest';
import type { Observation } from '../../../shared/network/observation.ts';
import { type Plan, plan } from '../../../shared/network/plan.ts';
import type { Step } from '../../../shared/network/step.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { ACCOUNT, addNode, item, memberOf, routeTo, V4, V6, type World, world } from '../../support/world.ts';

const A = memberOf('i-a');
const B = memberOf('i-b');

const look = (w: World): Promise<Observation> => w.ec2.observe(item(w));
const planFor = async (w: World, over: Partial<Vip> = {}, trusted = true): Promise<Plan> => {
  const vip = { ...item(w), ...over };
  return plan(vip, await w.ec2.observe(vip), A, trusted);
};
const carryOut = async (w: World, steps: readonly Step[]) => {
  for (const step of steps) await w.ec2.apply(step, () => true);
};
const cells = (steps: readonly { readonly cell: string }[]) => steps.map((s) => s.cell);
interface Laid {
  readonly eni: string;
  readonly privateAddress: string;
  readonly label?: string;
}
const lay = (w: World, eip: string, at: Laid) =>
  w.ec2.eips.set(eip, { eip, publicAddress: `203.0.113.${w.ec2.eips.size + 20}`, ...at });
const addressesOf = (w: World, eni: string) => w.ec2.enis.get(eni)!.privateAddresses;

describe('the plan', () => {
  test('covers every address in every labelled table and every EIP, the EIPs first', async () => {
    const w = world();
    const { steps, conflicts } = await planFor(w);
    const tables = [1, 2, 3, 4].map((n) => `rtb-${n}`);
    const routes = [V4, V6].flatMap((address) => tables.map((t) => `${t} ${address}`));
    expect(cells(steps)).toEqual(['eipalloc-1', ...routes]);
    expect(conflicts).toEqual([]);
  });

  test('moves tables with the first of the VIP’s labels first, whatever their ids and its name', async () => {
    const w = world();
    const table = (id: string, label: string) => w.ec2.tables.set(id, { ...w.ec2.tables.get(id)!, label });
    table('rtb-1', 'back');
    table('rtb-2', 'front');
    const { steps } = await planFor(w, { addresses: [V4], eips: [], tableLabels: ['front', 'web', 'back'] });
    expect(cells(steps)).toEqual(['rtb-2', 'rtb-3', 'rtb-4', 'rtb-1'].map((id) => `${id} ${V4}`));
  });

  test('yields nothing after it was applied', async () => {
    const w = world();
    await carryOut(w, (await planFor(w)).steps);
    expect(await planFor(w)).toEqual({ steps: [], conflicts: [] });
  });

  test('sets every cell again when the observation may be out of date, also those that look right', async () => {
    const w = world();
    const all = (await planFor(w)).steps;
    await carryOut(w, all);
    expect(cells((await planFor(w, {}, false)).steps)).toEqual(cells(all));
  });

  test('a VIP without addresses has its EIPs alone, and the other way round', async () => {
    const w = world();
    expect(cells((await planFor(w, { addresses: [] })).steps)).toEqual(['eipalloc-1']);
    expect((await planFor(w, { eips: [] })).steps.every((s) => s.call === 'CreateRoute')).toBe(true);
  });

  test('says that no table has the label, rather than find nothing to do', async () => {
    const { conflicts } = await planFor(world(), { tableLabels: ['wbe'] });
    expect(conflicts).toEqual([
      {
        cell: 'route tables',
        found: 'nothing',
        reason: { key: 'no-table', vpc: 'vpc-1', labels: ['wbe'] },
        why: 'no route table in vpc-1 has the label wbe',
        kind: 'unmet',
      },
    ]);
  });
});

describe('a route', () => {
  const only = async (w: World, over: Partial<Vip> = {}) =>
    planFor(w, { eips: [], addresses: [V4], ...over });
  const callAt = (p: Plan, table: string) => p.steps.find((s) => s.cell === `${table} ${V4}`)?.call;

  test('that is missing is created, one to another member is replaced', async () => {
    const w = world();
    routeTo(w, 'rtb-1', V4, { target: B.eni });
    const found = await only(w);
    expect([callAt(found, 'rtb-1'), callAt(found, 'rtb-2')]).toEqual(['ReplaceRoute', 'CreateRoute']);
  });

  test('to a foreign living target is a conflict, also when nothing observed is trusted', async () => {
    const w = world();
    for (const trusted of [true, false]) {
      routeTo(w, 'rtb-1', V4, { target: 'tgw-1' });
      const found = await planFor(w, { eips: [], addresses: [V4] }, trusted);
      expect(callAt(found, 'rtb-1')).toBeUndefined();
      expect(found.conflicts).toEqual([
        {
          cell: `rtb-1 ${V4}`,
          found: 'tgw-1',
          reason: { key: 'foreign-route' },
          why: 'the route points to a live target that does not belong to this VIP',
          kind: 'foreign',
        },
      ]);
      expect(found.steps).toHaveLength(3);
    }
  });

  test('to a foreign target that leads nowhere is taken over', async () => {
    const w = world();
    routeTo(w, 'rtb-1', V4, { target: 'tgw-1', state: 'blackhole' });
    expect(callAt(await only(w), 'rtb-1')).toBe('ReplaceRoute');
  });

  test('that is propagated gets a static one next to it: it cannot be replaced', async () => {
    const w = world();
    routeTo(w, 'rtb-1', V4, { target: 'vgw-1', propagated: true });
    const found = await only(w);
    expect(callAt(found, 'rtb-1')).toBe('CreateRoute');
    await carryOut(w, found.steps);
    expect((await only(w)).steps).toEqual([]);
  });

  test('that is propagated and points to the target already still gets a static one: propagation may end', async () => {
    const w = world();
    routeTo(w, 'rtb-1', V4, { target: A.eni, propagated: true });
    expect(callAt(await only(w), 'rtb-1')).toBe('CreateRoute');
  });

  test('to what the last commit wrote is ours, though its node is not a member any more', async () => {
    const w = world();
    addNode(w.ec2, 'i-old', 'other');
    routeTo(w, 'rtb-1', V4, { target: 'eni-i-old-service' });
    expect((await only(w)).conflicts).toHaveLength(1);
    expect(callAt(await only(w, { wrote: ['eni-i-old-service'] }), 'rtb-1')).toBe('ReplaceRoute');
  });

  test('in a labelled table of another VPC or account, or of a gateway, is not touched', async () => {
    const w = world();
    const change = (table: string, over: object) =>
      w.ec2.tables.set(table, { ...w.ec2.tables.get(table)!, ...over });
    change('rtb-1', { vpc: 'vpc-2' });
    change('rtb-2', { account: `${ACCOUNT}9` });
    change('rtb-3', { edge: true });
    expect(cells((await only(w)).steps)).toEqual([`rtb-4 ${V4}`]);
  });
});

describe('an EIP', () => {
  const eipsOnly = (w: World, eips = ['eipalloc-1'], trusted = true) =>
    planFor(w, { addresses: [], eips }, trusted);

  test('goes to the first private address of the target’s EIP ENI', async () => {
    const w = world();
    const [first] = addressesOf(w, A.eipEni);
    expect((await eipsOnly(w)).steps).toEqual([
      {
        call: 'AssociateAddress',
        cell: 'eipalloc-1',
        from: 'nothing',
        eni: A.eipEni,
        eip: 'eipalloc-1',
        privateAddress: first,
      },
    ]);
  });

  test('of several VIPs that come from nowhere to one ENI do not all take its first address: each moves unseen by the others', async () => {
    const w = world();
    const taken = new Set<string>();
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const eip = `eipalloc-of-${n}`;
      w.ec2.eips.set(eip, { eip, publicAddress: `203.0.113.${n}`, label: 'web' });
      const { steps } = await planFor(w, { eips: [eip], addresses: [] });
      for (const step of steps) if (step.call === 'AssociateAddress') taken.add(step.privateAddress);
    }
    expect([...taken].sort()).toEqual([...addressesOf(w, A.eipEni)].sort());
  });

  test('that lies right is not associated again: a repeat may be charged', async () => {
    const w = world();
    lay(w, 'eipalloc-1', { eni: A.eipEni, privateAddress: addressesOf(w, A.eipEni)[1]!, label: 'web' });
    expect(await eipsOnly(w)).toEqual({ steps: [], conflicts: [] });
  });

  test('on the EIP ENI of a target that is not a member yet is ours', async () => {
    const w = world();
    lay(w, 'eipalloc-1', { eni: A.eipEni, privateAddress: addressesOf(w, A.eipEni)[0]!, label: 'web' });
    expect(await planFor(w, { addresses: [], members: {} })).toEqual({ steps: [], conflicts: [] });
  });

  test('that is right already is confirmed after what differs, one that is not comes first: the budget may not last', async () => {
    const w = world();
    for (const table of ['rtb-1', 'rtb-2', 'rtb-3']) routeTo(w, table, V4, { target: A.eni });
    const orderFor = async (node: typeof A) => {
      lay(w, 'eipalloc-1', {
        eni: node.eipEni,
        privateAddress: addressesOf(w, node.eipEni)[0]!,
        label: 'web',
      });
      return cells((await planFor(w, { addresses: [V4] }, false)).steps).slice(0, 2);
    };
    expect(await orderFor(A)).toEqual([`rtb-4 ${V4}`, 'eipalloc-1']);
    expect(await orderFor(B)).toEqual(['eipalloc-1', `rtb-4 ${V4}`]);
  });

  test('keeps its place when everything is set again: it must not wander between private addresses', async () => {
    const w = world();
    const second = addressesOf(w, A.eipEni)[1]!;
    lay(w, 'eipalloc-1', { eni: A.eipEni, privateAddress: second, label: 'web' });
    expect((await eipsOnly(w, ['eipalloc-1'], false)).steps).toMatchObject([{ privateAddress: second }]);
  });

  test('on an ENI that is none of this VIP is foreign and left alone', async () => {
    const w = world();
    lay(w, 'eipalloc-1', { eni: 'eni-foreign', privateAddress: '10.9.9.9', label: 'web' });
    expect(await eipsOnly(w)).toEqual({
      steps: [],
      conflicts: [
        {
          cell: 'eipalloc-1',
          found: 'eni-foreign 10.9.9.9',
          kind: 'foreign',
          reason: { key: 'foreign-eip' },
          why: 'the EIP is on an ENI that does not belong to this VIP',
        },
      ],
    });
  });

  test('skips a private address that has a foreign EIP: AssociateAddress would throw that off', async () => {
    const w = world();
    const [first, second] = addressesOf(w, A.eipEni);
    lay(w, 'eipalloc-foreign', { eni: A.eipEni, privateAddress: first! });
    expect((await eipsOnly(w)).steps).toMatchObject([{ privateAddress: second }]);
  });

  test('two EIPs go to two private addresses and stay where they are afterwards', async () => {
    const w = world();
    lay(w, 'eipalloc-2', { eni: B.eipEni, privateAddress: addressesOf(w, B.eipEni)[1]!, label: 'web' });
    const both = ['eipalloc-1', 'eipalloc-2'];
    const { steps } = await eipsOnly(w, both);
    expect(steps.map((s) => s.call === 'AssociateAddress' && s.privateAddress)).toEqual(
      addressesOf(w, A.eipEni),
    );
    await carryOut(w, steps);
    expect(await eipsOnly(w, both)).toEqual({ steps: [], conflicts: [] });
  });

  test('without a free private address is unmet, and the others go on', async () => {
    const w = world();
    const [first] = addressesOf(w, A.eipEni);
    lay(w, 'eipalloc-foreign', { eni: A.eipEni, privateAddress: first! });
    lay(w, 'eipalloc-2', { eni: B.eipEni, privateAddress: addressesOf(w, B.eipEni)[0]!, label: 'web' });
    const { steps, conflicts } = await eipsOnly(w, ['eipalloc-1', 'eipalloc-2']);
    expect(cells(steps)).toEqual(['eipalloc-1']);
    expect(conflicts).toMatchObject([{ cell: 'eipalloc-2', kind: 'unmet' }]);
    expect(conflicts[0]!.reason).toEqual({ key: 'no-free-address', eni: A.eipEni });
    expect(conflicts[0]!.why).toBe(
      `every private address of ${A.eipEni} has a foreign EIP or another EIP of this VIP`,
    );
  });

  test('that is to go to an ENI without IPv4 is unmet with that reason', async () => {
    const w = world();
    w.ec2.enis.set(A.eipEni, { ...w.ec2.enis.get(A.eipEni)!, privateAddresses: [] });
    const { conflicts } = await eipsOnly(w, ['eipalloc-1']);
    expect(conflicts).toMatchObject([{ kind: 'unmet', why: `${A.eipEni} has no IPv4 address` }]);
    expect(conflicts[0]!.reason).toEqual({ key: 'no-address', eni: A.eipEni });
  });

  test('that does not exist, or whose target has no ENI for it, is unmet with its reason', async () => {
    const w = world();
    expect((await eipsOnly(w, ['eipalloc-9'])).conflicts).toMatchObject([
      { kind: 'unmet', why: 'no such Elastic IP in this account and Region' },
    ]);
    const vip = { ...item(w), addresses: [] };
    const { eipEni: _none, ...bare } = A;
    expect(plan(vip, await look(w), bare, true).conflicts).toMatchObject([
      { kind: 'unmet', why: 'i-a has no labelled ENI for EIPs (its primary ENI is never used)' },
    ]);
    expect(plan(vip, await look(w), { ...A, eipEni: 'eni-gone' }, true).conflicts).toMatchObject([
      { kind: 'unmet', why: 'eni-gone of i-a was not found' },
    ]);
    lay(w, 'eipalloc-1', { eni: B.eipEni, privateAddress: addressesOf(w, B.eipEni)[0]!, label: 'web' });
    expect(plan(vip, await look(w), bare, true).conflicts).toMatchObject([{ reason: { key: 'no-eip-eni' } }]);
  });

  test('that EC2 shows on the right ENI, and at no address of it, is associated again', async () => {
    const w = world();
    lay(w, 'eipalloc-1', { eni: A.eipEni, privateAddress: addressesOf(w, A.eipEni)[0]!, label: 'web' });
    const seen = await look(w);
    const eips = seen.eips.map(({ privateAddress: _address, ...eip }) => eip);
    const { steps } = plan({ ...item(w), addresses: [] }, { ...seen, eips }, A, true);
    expect(cells(steps)).toEqual(['eipalloc-1']);
  });

  test('on the untagged ENI of the old owner is ours by the last commit', async () => {
    const w = world();
    const { label: _label, ...untagged } = w.ec2.enis.get(B.eipEni)!;
    w.ec2.enis.set(B.eipEni, untagged);
    lay(w, 'eipalloc-1', { eni: B.eipEni, privateAddress: addressesOf(w, B.eipEni)[0]!, label: 'web' });
    const vip = { ...item(w), addresses: [], members: { 'i-a': A }, wrote: [B.eni, B.eipEni] };
    expect(cells(plan(vip, await look(w), A, true).steps)).toEqual(['eipalloc-1']);
  });
});

describe('the source/destination check', () => {
  test('is switched off wherever it is on at a member’s service ENI, and never at an EIP ENI', async () => {
    const w = world();
    for (const eni of [A.eni, A.eipEni, B.eni]) {
      w.ec2.enis.set(eni, { ...w.ec2.enis.get(eni)!, sourceDestCheck: true });
    }
    const { steps } = await planFor(w, { addresses: [], eips: [] });
    expect(cells(steps)).toEqual([`${A.eni} check`, `${B.eni} check`]);
    await carryOut(w, steps);
    expect((await planFor(w, { addresses: [], eips: [] })).steps).toEqual([]);
  });

  test('is switched off before cells are confirmed that are right already: the budget may not last', async () => {
    const w = world();
    w.ec2.enis.set(A.eni, { ...w.ec2.enis.get(A.eni)!, sourceDestCheck: true });
    routeTo(w, 'rtb-1', V4, { target: A.eni });
    const { steps } = await planFor(w, { addresses: [V4], eips: [] }, false);
    expect(cells(steps).slice(-2)).toEqual([`${A.eni} check`, `rtb-1 ${V4}`]);
  });
});
