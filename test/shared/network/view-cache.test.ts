// The stored view: as much of an observation as a plan for its VIP reads, and no more.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { membersSeen, type Observation, type RouteSeen } from '../../../shared/network/observation.ts';
import { packed, unpacked } from '../../../shared/network/packed-view.ts';
import { plan } from '../../../shared/network/plan.ts';
import {
  stays,
  VIEW_AGE_MAX,
  viewOf,
  viewProblem,
  viewProblemText,
} from '../../../shared/network/view-cache.ts';
import { durationMs, type EpochMs, minutes, plus } from '../../../shared/time.ts';
import { ITEM_MAX, jsonBytes } from '../../../shared/timeline/size.ts';
import { newVip, type Vip } from '../../../shared/vip/vip.ts';
import { ACCOUNT, entry, memberOf, START, VPC } from '../../support/world.ts';

const many = <T>(count: number, one: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => one(n));
const id = (kind: string, n: number) => `${kind}-${n.toString(16).padStart(17, '0')}`;
const later = (ms: number): EpochMs => plus(START, durationMs(ms));

interface Size {
  readonly vips: number;
  readonly tables: number;
  readonly addresses: number;
  readonly eips: number;
  readonly nodes: number;
}

const v4 = (vip: number): string => `192.168.255.${100 + vip}/32`;

/** One of IPv4, or several of IPv6 in full length, the longest there are. */
const addressesOf = (vip: number, count: number): string[] =>
  count === 1
    ? [v4(vip)]
    : many(
        count,
        (n) =>
          `fd77:7669:7073:7669:7073:7669:${(0x7000 + vip).toString(16)}:${(0x7a10 + n).toString(16)}/128`,
      );

const vipOf = ({ addresses, eips, nodes }: Size, n: number): Vip => ({
  ...newVip({
    ...entry,
    name: `vip-${n}`,
    addresses: addressesOf(n, addresses),
    eips: many(eips, (e) => id('eipalloc', n * eips + e)),
  }),
  members: Object.fromEntries(
    many(nodes, (node) => [
      id('i', node),
      { node: id('i', node), eni: id('eni', node), eipEni: id('eni', 1000 + node), zone: 'eu-central-1a' },
    ]),
  ),
});

/** What EC2 shows where all VIPs share the tables and the nodes. */
function networkOf(size: Size): Observation {
  const route: RouteSeen = { target: id('eni', 0), state: 'active', propagated: false };
  const destinations = many(size.vips, (n) => addressesOf(n, size.addresses)).flat();
  const place = { label: 'web', vpc: VPC, account: ACCOUNT, zone: 'eu-central-1a', sourceDestCheck: false };
  const eniOf = (eni: number, node: number, label: string, first: number) => ({
    ...place,
    ...{ eni: id('eni', eni), label, node: id('i', node), primary: false },
    addresses: many(50, (n) => ({ privateAddress: `10.${first + node}.100.${100 + n}` })),
  });
  return {
    source: 'ec2',
    beganAtMs: START,
    endedAtMs: START,
    tables: many(size.tables, (n) => ({
      ...{ table: id('rtb', n), label: 'web', vpc: VPC, account: ACCOUNT, edge: false },
      ...{ total: destinations.length + 1, routes: Object.fromEntries(destinations.map((d) => [d, route])) },
    })),
    enis: many(size.nodes, (n) => [eniOf(n, n, 'web', 100), eniOf(1000 + n, n, 'web:eip', 200)]).flat(),
    eips: many(size.eips, (n) => ({
      ...{ eip: id('eipalloc', n), publicAddress: `203.0.113.${100 + n}`, eni: id('eni', 1000) },
      privateAddress: `10.200.100.${100 + n}`,
    })),
  };
}

describe('its size', () => {
  it('does not depend on how many VIPs share the tables: 100 of them in 50', () => {
    const size = { vips: 100, tables: 50, addresses: 1, eips: 0, nodes: 2 };
    const seen = networkOf(size);
    const [whole, view] = [jsonBytes(seen), jsonBytes(packed(viewOf(vipOf(size, 0), seen)))];
    console.log(`view of one of 100 VIPs in 50 tables: ${whole} bytes whole, ${view} kept, of ${ITEM_MAX}`);
    expect(whole).toBeGreaterThan(ITEM_MAX);
    expect(view).toBe(jsonBytes(packed(viewOf(vipOf(size, 0), networkOf({ ...size, vips: 1 })))));
    expect(view).toBeLessThan(16_000);
  });
});

describe('the move of another VIP', () => {
  const size = { vips: 2, tables: 3, addresses: 2, eips: 1, nodes: 2 };
  const other = addressesOf(1, 2)[0]!;
  const moved = (seen: Observation, address: string): Observation => ({
    ...seen,
    tables: seen.tables.map((table) => ({
      ...table,
      total: table.total! + 1,
      routes: { ...table.routes, [address]: { ...table.routes[address]!, target: id('eni', 1) } },
    })),
  });

  it('leaves the view as it is; a move of its own does not', () => {
    const [vip, seen] = [vipOf(size, 0), networkOf(size)];
    const stored = viewOf(vip, seen);
    expect(stays(stored, viewOf(vip, moved(seen, other)))).toBe(true);
    expect(stays(stored, viewOf(vip, moved(seen, vip.addresses[0]!)))).toBe(false);
  });

  it('of its EIP changes the view only of a VIP that has an EIP itself, which needs a free address', () => {
    const seen = networkOf(size);
    const taken = (of: Observation): Observation => ({
      ...of,
      enis: of.enis.map((eni) => ({
        ...eni,
        addresses: eni.addresses.map((at) => ({ ...at, eip: 'eipalloc-of-another' })),
      })),
    });
    for (const [eips, same] of [
      [0, true],
      [1, false],
    ] as const) {
      const vip = vipOf({ ...size, eips }, 0);
      expect(stays(viewOf(vip, seen), viewOf(vip, taken(seen)))).toBe(same);
    }
  });
});

describe('what is stored', () => {
  const size = { vips: 1, tables: 2, addresses: 1, eips: 1, nodes: 2 };
  const [vip, seen] = [vipOf(size, 0), networkOf(size)];
  const stored = viewOf(vip, seen);
  const at = (ms: number) => viewOf(vip, { ...seen, endedAtMs: later(ms) });

  it('stays for half an hour, so that its age says when it was last confirmed', () => {
    expect(stays(stored, at(minutes(30) - 1))).toBe(true);
    expect(stays(stored, at(minutes(30)))).toBe(false);
    expect(stays(undefined, stored)).toBe(false);
  });

  it('does not stay when the VIP’s settings change, nor when the version before has stored all it saw', () => {
    const { of: _of, ...old } = stored;
    expect(unpacked(packed(old))).toEqual(old);
    expect(stays(old, stored)).toBe(false);
    expect(stays(stored, viewOf({ ...vip, tableLabels: ['web', 'db'] }, seen))).toBe(false);
  });

  it('serves up to VIEW_AGE_MAX, and not a millisecond longer', () => {
    expect(viewProblem(vip, stored, later(VIEW_AGE_MAX))).toBeUndefined();
    const old = viewProblem(vip, stored, later(VIEW_AGE_MAX + 1))!;
    expect(old).toEqual({ key: 'view-too-old', storedAtMs: START });
    expect(viewProblemText(old)).toBe(
      'the stored view is of 2026-11-22T14:00:00.000Z, expected at most 6 h old',
    );
  });

  it('serves only the settings that it was made for: of an address added since it knows no route', () => {
    for (const over of [
      { addresses: [...vip.addresses, '192.0.2.1/32'] },
      { eips: ['eipalloc-2'] },
      { tableLabels: ['db'] },
      { nodeLabels: ['db'] },
      { vpc: 'vpc-2' },
      { account: '444455556666' },
    ])
      expect(viewProblem({ ...vip, ...over }, stored, START)).toMatchObject({
        key: 'view-of-other-settings',
      });
    const { of: _of, ...old } = stored;
    expect(
      viewProblem({ ...vip, addresses: ['192.0.2.1/32'] }, old, START),
      'all that was seen',
    ).toBeUndefined();
  });
});

describe('a plan', () => {
  const A = memberOf('i-a');
  const enis = ['i-a', 'i-b', 'i-c'].flatMap((node) => [`eni-${node}-service`, `eni-${node}-eip`]);
  const eipPlaces = [...enis, 'eni-stranger', undefined];
  const scope = {
    vpc: fc.constantFrom(VPC, VPC, VPC, 'vpc-2'),
    account: fc.constantFrom(ACCOUNT, ACCOUNT, '9'),
  };
  const routeSeen = fc.record({
    target: fc.constantFrom(...enis, 'igw-1'),
    state: fc.constantFrom('active', 'blackhole'),
    propagated: fc.boolean(),
  } as const);
  const destinations = ['192.168.255.10/32', 'pl-1', '192.0.2.7/32', 'fd00::1/128'] as const;
  const tables = fc.uniqueArray(
    fc.record({
      ...{ ...scope, table: fc.constantFrom('rtb-1', 'rtb-2', 'rtb-3'), edge: fc.boolean() },
      ...{ label: fc.constantFrom('web', 'db'), total: fc.nat(50) },
      routes: fc.dictionary(fc.constantFrom(...destinations), routeSeen),
    }),
    { selector: (t) => t.table },
  );
  const eniSeen = (eni: string) =>
    fc.record({
      ...{ ...scope, eni: fc.constant(eni), label: fc.constantFrom('web', 'web', 'web:eip', 'db') },
      ...{ zone: fc.constant('z'), primary: fc.boolean(), sourceDestCheck: fc.boolean() },
      node: fc.constantFrom(eni.split('-').slice(1, 3).join('-'), 'i-a'),
      addresses: fc
        .array(fc.constantFrom(undefined, 'eipalloc-1', 'eipalloc-9'), { minLength: 1 })
        .map((taken) =>
          taken.map((eip, n) => ({ privateAddress: `10.0.0.${n}`, ...(eip === undefined ? {} : { eip }) })),
        ),
    });
  const eipSeen = (eip: string) =>
    fc.record({ eni: fc.constantFrom(...eipPlaces), place: fc.nat(3) }).map(({ eni, place }) => ({
      ...{ eip, publicAddress: '203.0.113.1' },
      ...(eni === undefined ? {} : { eni, privateAddress: `10.0.0.${place}` }),
    }));

  it('from the view is the plan from all that was seen, whatever EC2 shows', () => {
    let withSteps = 0;
    fc.assert(
      fc.property(
        fc.record({
          ...{ tables, all: fc.tuple(...enis.map(eniSeen)), shown: fc.subarray(enis) },
          eips: fc.tuple(eipSeen('eipalloc-1'), eipSeen('eipalloc-2'), eipSeen('eipalloc-9')),
          ...{ ownEips: fc.subarray(['eipalloc-1', 'eipalloc-2']), trusted: fc.boolean() },
        }),
        ({ tables: tablesSeen, all, shown, eips, ownEips, trusted }) => {
          const base = { source: 'ec2', beganAtMs: START, endedAtMs: START } as const;
          const seen: Observation = {
            ...base,
            tables: tablesSeen,
            enis: all.filter(({ eni }) => shown.includes(eni)).sort((a, b) => (a.eni < b.eni ? -1 : 1)),
            eips,
          };
          const vip: Vip = {
            ...newVip({ ...entry, addresses: ['192.168.255.10/32', 'pl-1'], eips: ownEips }),
            members: { 'i-a': A, 'i-b': memberOf('i-b') },
          };
          const view = viewOf(vip, seen);
          expect(unpacked(JSON.parse(JSON.stringify(packed(view)))), 'as it is stored').toEqual(view);
          const members = membersSeen(vip, seen, vip.members);
          expect(membersSeen(vip, view, vip.members)).toEqual(members);
          for (const target of Object.values(members)) {
            const planned = plan({ ...vip, members }, view, target, trusted);
            withSteps += planned.steps.length;
            expect(planned).toEqual(plan({ ...vip, members }, seen, target, trusted));
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(withSteps, 'the draws meet plans that do something').toBeGreaterThan(100);
  });
});
