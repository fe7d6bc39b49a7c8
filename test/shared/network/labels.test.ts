// Labels: which values of the tag no one uses, what was probably meant, and whom it concerns.
import { describe, expect, test } from 'vitest';
import {
  isNearKey,
  type Mislabelled,
  mislabelled,
  mislabelledElsewhere,
  mislabelledText,
  type Survey,
  type TableSurveyed,
  usersHere,
} from '../../../shared/network/labels.ts';
import type { RegistryEntry } from '../../../shared/vip/vip.ts';

const place = { vpc: 'vpc-0a', account: '111122223333' };
const entry = (name: string, over: Partial<RegistryEntry> = {}): RegistryEntry => ({
  name,
  addresses: [`192.168.255.${name.length}/32`],
  eips: [],
  ...place,
  tableLabels: [name],
  nodeLabels: [name],
  hold: 'both',
  ...over,
});
const web = entry('web', { eips: ['eipalloc-1'] });
const dns = entry('dns', { addresses: ['192.168.255.53/32'] });
const route = (target: string) => ({ target, state: 'active', propagated: false }) as const;
const table = (over: Partial<TableSurveyed> = {}): TableSurveyed => ({
  table: 'rtb-1',
  ...place,
  routes: {},
  ...over,
});
const survey = (over: Partial<Survey>): Survey => ({
  tag: 'vipshift:dev',
  tables: [],
  enis: [],
  eips: [],
  ...over,
});
const found = (vip: RegistryEntry, over: Partial<Survey>, entries = [web, dns]): readonly Mislabelled[] =>
  mislabelled(vip, entries, survey(over));
const meantBy = (value: string, over: Partial<TableSurveyed> = {}) => {
  const [one] = found(web, { tables: [table({ label: value, ...over })] });
  return one?.is === 'unused' ? one.meant : undefined;
};

describe('outside every VIP’s VPC', () => {
  test('a value that no VIP uses is named, one that a VIP uses is not: that VIP’s own check names it', () => {
    const there = { vpc: 'vpc-9', account: place.account };
    const over = {
      tables: [table({ label: 'wbe' }), table({ ...there, table: 'rtb-9', label: 'wbe' })],
      enis: [
        { eni: 'eni-9', ...there, label: 'old' },
        { eni: 'eni-8', ...there, label: 'web' },
        { eni: 'eni-7', ...there, label: '-' },
      ],
    };
    expect(mislabelledElsewhere([web, dns], survey(over))).toMatchObject([
      { id: 'rtb-9', value: 'wbe', meant: ['web'] },
      { id: 'eni-9', value: 'old', meant: [] },
    ]);
  });
});

describe('a mistyped key on an ENI or an EIP', () => {
  test('is named where its value is nearly a label: another stage may be called so', () => {
    const nearKeys = [
      { kind: 'eni', id: 'eni-1', key: 'vipshift', value: 'web' },
      { kind: 'eni', id: 'eni-2', key: 'vipshift', value: 'else' },
      { kind: 'eip', id: 'eipalloc-1', key: 'vipshift-dev', value: 'Web' },
    ] as const;
    expect(found(web, { nearKeys })).toMatchObject([
      { is: 'near-key', id: 'eipalloc-1', meant: ['web'] },
      { is: 'near-key', id: 'eni-1', meant: ['web'] },
    ]);
    expect(found(dns, { nearKeys })).toEqual([]);
  });
});

describe('a value on a table that no VIP uses', () => {
  test.each([
    ['Web', ['web']],
    ['web ', ['web']],
    [' WEB', ['web']],
    ['wbe', ['web']],
    ['we', ['web']],
    ['webb', ['web']],
    ['web:eip', ['web']],
    ['web:EIP', ['web']],
    ['something else', []],
    ['', []],
  ])('%j: the label that was probably meant is %j', (value, meant) => {
    expect(meantBy(value)).toEqual(meant);
  });

  test('is nothing where a VIP uses it, or where it leaves the table out', () => {
    for (const label of ['web', 'dns', '-'])
      expect(found(web, { tables: [table({ label })] }), label).toEqual([]);
  });

  test('concerns the VIP that was meant, and every VIP of the VPC where none is near', () => {
    expect(found(dns, { tables: [table({ label: 'Web' })] })).toEqual([]);
    expect(found(dns, { tables: [table({ label: 'other' })] })).toHaveLength(1);
    expect(found(dns, { tables: [table({ label: 'other', vpc: 'vpc-0b' })] })).toEqual([]);
  });

  test('concerns also the VIP whose address the table routes, which was then probably meant', () => {
    const routes = { '192.168.255.53/32': route('eni-1') };
    expect(found(dns, { tables: [table({ label: 'other', routes })] })).toMatchObject([{ meant: ['dns'] }]);
    expect(found(web, { tables: [table({ label: 'other', routes })] })).toEqual([]);
    expect(found(dns, { tables: [table({ label: 'Web', routes })] })).toHaveLength(1);
  });

  test('is told with its quotes, so that a blank is seen', () => {
    const [one] = found(web, { tables: [table({ label: 'web ' })] });
    expect(mislabelledText(one!)).toBe(
      'rtb-1 has the tag vipshift:dev="web ", a label that no VIP uses: a failover leaves it; did you mean "web"?',
    );
  });

  test('is none of a VIP’s that is removed: only those that are given count', () => {
    expect(found(web, { tables: [table({ label: 'dns' })] }, [web])).toHaveLength(1);
  });
});

describe('a key that is nearly ours', () => {
  test('is told where its value is a label, and not where it may be another stage’s', () => {
    const nearKey = { key: 'vipshift:Dev', value: 'web' };
    const [one] = found(web, { tables: [table({ nearKey })] });
    expect(mislabelledText(one!)).toBe(
      'rtb-1 has the tag vipshift:Dev="web", but its key must be vipshift:dev: a failover leaves it',
    );
    expect(found(web, { tables: [table({ nearKey: { ...nearKey, value: 'mail' } })] })).toEqual([]);
    expect(found(web, { tables: [table({ nearKey, label: '-' })] }), 'left out on purpose').toEqual([]);
  });

  test.each([
    ['vipshift:Dev', true],
    ['VipShift:dev', true],
    ['vipshift: dev', true],
    ['vipshift:dev', false],
    ['vipshift:prod', false],
    ['vipshift', true],
    ['Vipshift', true],
    ['vipshift-dev', true],
    ['vipshift.dev', true],
    ['vipshift:dev ', true],
    ['vipshfit:dev', true],
    ['vipshift:dve', true],
    ['vipshift:dev2', false],
    ['shift:dev', false],
    ['dev', false],
    ['Name', false],
  ])('%s: %s', (key, near) => expect(isNearKey(key, 'vipshift:dev')).toBe(near));
});

describe('a table without the label that routes the VIP', () => {
  const routes = { [web.addresses[0]!]: route('eni-1') };
  test.each([
    ['untagged', {}, 'has no tag vipshift:dev'],
    ['left out', { label: '-' }, 'has the tag vipshift:dev="-"'],
    ['of another VIP', { label: 'dns' }, 'has the tag vipshift:dev="dns"'],
  ])('%s is told: a failover leaves it', (_what, over, has) => {
    const [one] = found(web, { tables: [table({ routes, ...over })] });
    expect(mislabelledText(one!)).toBe(
      `rtb-1 routes ${web.addresses[0]} to eni-1 and ${has}: a failover leaves it`,
    );
  });
  test('is right where it has the label, or lies in another VPC', () => {
    expect(found(web, { tables: [table({ routes, label: 'web' })] })).toEqual([]);
    expect(found(web, { tables: [table({ routes, vpc: 'vpc-0b' })] })).toEqual([]);
  });
});

describe('ENIs and EIPs', () => {
  const eni = (label: string) => ({ enis: [{ eni: 'eni-1', ...place, label }] });
  test.each([
    ['web ', ['web']],
    ['web:EIP', ['web:eip']],
    ['web-eip', ['web:eip']],
    ['Web:eip', ['web:eip']],
    ['elsewhere', []],
  ])('an ENI with %j: meant is %j', (label, meant) => {
    expect(found(web, eni(label))).toMatchObject([{ kind: 'eni', is: 'unused', meant }]);
  });
  test('with a label of a VIP are right', () => {
    for (const label of ['web', 'web:eip', 'dns', '-']) expect(found(web, eni(label)), label).toEqual([]);
  });
  test('an EIP concerns the VIP that has it, whatever its tag looks like', () => {
    const eips = [{ eip: 'eipalloc-1', label: 'dsn' }];
    expect(found(web, { eips })).toMatchObject([{ kind: 'eip', meant: ['web'] }]);
    expect(found(dns, { eips })).toEqual([]);
    expect(found(dns, { eips: [{ eip: 'eipalloc-2', label: 'dsn' }] })).toMatchObject([{ meant: ['dns'] }]);
  });
});

test('a label is another VIP’s where that VIP is in the same VPC and account', () => {
  const shared = [
    web,
    entry('ftp', { tableLabels: ['web'] }),
    entry('far', { tableLabels: ['web'], vpc: 'vpc-0b' }),
  ];
  const names = usersHere('table', { ...place, label: 'web' }, shared).map((user) => user.name);
  expect(names).toEqual(['web', 'ftp']);
});
