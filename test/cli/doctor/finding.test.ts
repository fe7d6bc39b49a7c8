// The one shape of what the doctor finds.
import { expect, test } from 'vitest';
import { checks, fault, folded, type Particulars, warning } from '../../../shared/doctor/finding.ts';

const about = (over: Partial<Particulars> = {}): Particulars => ({
  vips: ['web'],
  subject: 'rtb-1',
  found: 'no route',
  expected: 'a route',
  remedy: { command: 'aws ec2 create-route' },
  ...over,
});

test('a fault says what was found, what was expected, the remedy and the VIPs; names of --json are stable', () => {
  expect(fault('route-missing', about())).toEqual({
    check: 'route-missing',
    severity: 'fault',
    vips: ['web'],
    subject: 'rtb-1',
    found: 'no route',
    wanted: 'a route',
    remedy: 'aws ec2 create-route',
    command: 'aws ec2 create-route',
  });
  expect(warning('unchecked', about({ remedy: { sentence: 'look yourself' } }))).toEqual({
    check: 'unchecked',
    severity: 'warning',
    vips: ['web'],
    subject: 'rtb-1',
    found: 'no route',
    wanted: 'a route',
    remedy: 'look yourself',
  });
});

test('a remark stands behind the command, which stays one that can be pasted', () => {
  const remedy = { command: 'aws ec2 create-tags --resources rtb-1', remark: 'or leave it out' };
  expect(fault('table-unlabelled', about({ remedy }))).toMatchObject({
    remedy: 'aws ec2 create-tags --resources rtb-1    # or leave it out',
    command: 'aws ec2 create-tags --resources rtb-1',
  });
});

test('what is the same for several VIPs is told once, in the order of repair, and names them all', () => {
  const role = (vip: string, found = 'open') =>
    fault('role-trust', about({ vips: [vip], subject: 'r', found }));
  const route = fault('route-missing', about());
  const told = folded([role('web'), role('dns'), route, role('web'), role('db', 'open to all')]);
  expect(told.map(({ check, vips }) => [check, vips])).toEqual([
    ['route-missing', ['web']],
    ['role-trust', ['web', 'dns']],
    ['role-trust', ['db']],
  ]);
  expect(Object.keys(checks).indexOf('route-missing')).toBeLessThan(
    Object.keys(checks).indexOf('role-trust'),
  );
});
