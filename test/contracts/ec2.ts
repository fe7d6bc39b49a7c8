// What every Ec2 port must do, in memory and through the SDK alike.
import { expect, it } from 'vitest';
import { isFault } from '../../shared/fault.ts';
import type { Ec2 } from '../../shared/network/ec2.ts';
import { membersSeen, type Observation } from '../../shared/network/observation.ts';
import { plan } from '../../shared/network/plan.ts';
import type { RouteStep, Step } from '../../shared/network/step.ts';
import { newVip, type RegistryEntry } from '../../shared/vip/vip.ts';

export interface Ec2UnderTest {
  readonly ec2: Ec2;
  readonly entry: RegistryEntry;
  readonly nodes: readonly [string, string];
  readonly labelled: readonly string[];
  readonly unlabelled: readonly string[];
  /** A customer-managed prefix list. */
  readonly prefixList: string;
  /** A living ENI that has no label. */
  readonly strangerEni: string;
  /** Calls that the emulator takes although AWS refuses them, so that the refusal cannot be shown on it. */
  readonly takesDuplicateRoutes: boolean;
  /** CreateRoute to an ENI keeps no prefix list: a gap of the emulator; prefix-list.test.ts goes the same way without it. */
  readonly forgetsPrefixLists: boolean;
}

const yes = () => true;

const faultOf = async (work: Promise<unknown>): Promise<{ kind: string; code: string }> => {
  const error: unknown = await work.then(
    () => 'nothing was thrown',
    (e: unknown) => e,
  );
  if (!isFault(error)) throw new Error(`expected a Fault, got ${String(error)}`);
  return { kind: error.kind, code: error.code };
};

const create = (table: string, destination: string, eni: string): RouteStep => ({
  call: 'CreateRoute',
  cell: `${table} ${destination}`,
  from: 'nothing',
  table,
  destination,
  eni,
});

export function ec2Contract(open: () => Promise<Ec2UnderTest>): void {
  const members = async ({ ec2, entry }: Ec2UnderTest) => membersSeen(entry, await ec2.observe(entry), {});
  const targets = async (t: Ec2UnderTest) => {
    const all = await members(t);
    return t.nodes.map((node) => all[node]!) as [(typeof all)[string], (typeof all)[string]];
  };

  it('sees the labelled tables, the labelled ENIs with their nodes, and the EIP that lies nowhere yet', async () => {
    const t = await open();
    const seen = await t.ec2.observe(t.entry);
    expect(seen.source).toBe('ec2');
    expect(seen.tables.map((table) => table.table).sort()).toEqual([...t.labelled].sort());
    expect(seen.tables.every((table) => table.vpc === t.entry.vpc && table.account === t.entry.account)).toBe(
      true,
    );
    expect(seen.enis).toHaveLength(4);
    expect(seen.eips).toEqual([{ eip: t.entry.eips[0], publicAddress: expect.any(String) }]);
    const [a, b] = await targets(t);
    expect([a.node, b.node]).toEqual(t.nodes);
    expect(new Set([a.eni, a.eipEni, b.eni, b.eipEni]).size, 'a service and an EIP ENI on each').toBe(4);
    expect(a.zone).not.toBe(b.zone);
  });

  it('knows that an instance runs, and nothing of one that is not there', async () => {
    const { ec2, nodes } = await open();
    expect(await Promise.all(nodes.map((node) => ec2.hostState(node)))).toEqual(['running', 'running']);
    expect(await ec2.hostState('i-0abc1234def567890')).toBeUndefined();
  });

  it('sees the same of each VIP when it observes many at once', async () => {
    const { ec2, entry } = await open();
    const other = { name: 'other', tableLabels: ['other'], nodeLabels: ['other'] };
    const all = await ec2.observeAll([entry, other]);
    const times = { beganAtMs: 0, endedAtMs: 0 };
    const sorted = (seen: Observation) => ({
      ...seen,
      ...times,
      tables: seen.tables.toSorted((a, b) => a.table.localeCompare(b.table)),
      enis: seen.enis.toSorted((a, b) => a.eni.localeCompare(b.eni)),
    });
    expect(sorted(all.get(entry.name)!)).toEqual(sorted(await ec2.observe(entry)));
    expect(sorted(all.get('other')!)).toEqual(sorted(await ec2.observe(other)));
  });

  it('sees nothing under a label that no one has', async () => {
    const { ec2 } = await open();
    const seen = await ec2.observe({ name: 'other', tableLabels: ['other'], nodeLabels: ['other'] });
    expect([seen.tables, seen.enis, seen.eips]).toEqual([[], [], []]);
  });

  it('comes to rest: planning after applying yields no step, for routes of both families and the EIP', async () => {
    const t = await open();
    const [a, b] = await targets(t);
    for (const target of [a, b, a]) {
      const vip = { ...newVip(t.entry), members: await members(t) };
      const before = plan(vip, await t.ec2.observe(t.entry), target, true);
      expect(before.steps).toHaveLength(t.labelled.length * 2 + 1);
      expect(before.conflicts).toEqual([]);
      for (const step of before.steps) await t.ec2.apply(step, yes);
      expect(plan(vip, await t.ec2.observe(t.entry), target, true)).toEqual({ steps: [], conflicts: [] });
    }
  });

  it('moves a prefix list like one address: one route in each table, however many addresses it holds', async () => {
    const t = await open();
    const vip = {
      ...newVip({ ...t.entry, addresses: [t.prefixList], eips: [] }),
      members: await members(t),
    };
    for (const [target, call] of [
      [(await targets(t))[0], 'CreateRoute'],
      [(await targets(t))[1], 'ReplaceRoute'],
    ] as const) {
      const { steps, conflicts } = plan(vip, await t.ec2.observe(t.entry), target, true);
      expect(conflicts).toEqual([]);
      expect(steps.map((step) => step.call)).toEqual(t.labelled.map(() => call));
      for (const step of steps) await t.ec2.apply(step, yes);
      if (t.forgetsPrefixLists) return;
      const seen = await t.ec2.observe(t.entry);
      expect(seen.tables.map((table) => table.routes[t.prefixList]?.target)).toEqual(
        t.labelled.map(() => target.eni),
      );
      expect(plan(vip, seen, target, true).steps).toEqual([]);
    }
  });

  it('lets ReplaceRoute fail on a missing prefix list’s route by the same kind', async () => {
    const t = await open();
    const [a] = await targets(t);
    const step = { ...create(t.labelled[0]!, t.prefixList, a.eni), call: 'ReplaceRoute' as const };
    expect((await faultOf(t.ec2.apply(step, yes))).kind).toBe('no-route');
  });

  it('lets ReplaceRoute fail on a missing route by a kind of its own, so that CreateRoute can follow', async () => {
    const t = await open();
    const [a] = await targets(t);
    const step = { ...create(t.labelled[0]!, '192.168.254.1/32', a.eni), call: 'ReplaceRoute' as const };
    expect((await faultOf(t.ec2.apply(step, yes))).kind).toBe('no-route');
  });

  it('lets CreateRoute fail on a route that is there', async () => {
    const t = await open();
    const [a] = await targets(t);
    const step = create(t.labelled[0]!, t.entry.addresses[0]!, a.eni);
    await t.ec2.apply(step, yes);
    // moto takes the duplicate; the code's meaning is shown in test/shared/aws/error-codes.test.ts.
    if (t.takesDuplicateRoutes) await t.ec2.apply(step, yes);
    else expect((await faultOf(t.ec2.apply(step, yes))).kind).toBe('route-exists');
  });

  it('names what is gone: table, ENI, Elastic IP', async () => {
    const t = await open();
    const [a] = await targets(t);
    const noTable = create('rtb-00000000000000000', t.entry.addresses[0]!, a.eni);
    expect(await faultOf(t.ec2.apply(noTable, yes))).toMatchObject({ kind: 'gone' });
    const eni = 'eni-00000000000000000';
    const noEni: Step = { ...create(t.labelled[0]!, '192.168.254.2/32', eni) };
    expect(await faultOf(t.ec2.apply(noEni, yes))).toMatchObject({ kind: 'gone' });
    const eip = 'eipalloc-00000000000000000';
    const address = (await t.ec2.observe(t.entry)).enis.find((e) => e.eni === a.eipEni)!.addresses[0]!;
    const noEip: Step = {
      call: 'AssociateAddress',
      cell: eip,
      from: '',
      eip,
      eni: a.eipEni!,
      privateAddress: address.privateAddress,
    };
    expect(await faultOf(t.ec2.apply(noEip, yes))).toMatchObject({ kind: 'gone' });
  });

  it('sends nothing when the lease says no, and asks again for every attempt', async () => {
    const t = await open();
    const [a] = await targets(t);
    const step = create(t.labelled[0]!, t.entry.addresses[0]!, a.eni);
    let asked = 0;
    const no = () => {
      asked += 1;
      return false;
    };
    expect((await faultOf(t.ec2.apply(step, no))).kind).toBe('lease-short');
    expect(asked).toBe(1);
    const seen = await t.ec2.observe(t.entry);
    expect(seen.tables.find((table) => table.table === step.table)!.routes).toEqual({});
  });

  it('leaves every other route and every unlabelled table alone', async () => {
    const t = await open();
    const [a] = await targets(t);
    const vip = { ...newVip(t.entry), members: await members(t) };
    const todo = plan(vip, await t.ec2.observe(t.entry), a, true);
    const touched = todo.steps.flatMap((step) => ('table' in step ? [step.table] : []));
    expect([...new Set(touched)].sort()).toEqual([...t.labelled].sort());
    expect(touched.some((table) => t.unlabelled.includes(table))).toBe(false);
  });
}
