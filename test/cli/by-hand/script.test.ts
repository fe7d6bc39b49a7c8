// The printed commands as a shell reads them: each call in the AWS CLI's words, and nothing but comments besides.
import { describe, expect, test } from 'vitest';
import { at, hint } from '../../../cli/command/hint.ts';
import { awsLine, type Script, scriptLines } from '../../../cli/failover/by-hand/script.ts';
import { destinationsSeen, placesOf } from '../../../shared/network/by-hand.ts';
import { conflict } from '../../../shared/network/conflict.ts';
import type { Step } from '../../../shared/network/step.ts';
import { shellWord } from '../../../shared/place.ts';
import { entry, item, owned, routeTo, V4, V6 } from '../../support/world.ts';
import { commandsOf } from './shell.ts';

const nasty = [
  'two words',
  `it's`,
  `"quoted"`,
  '$HOME `id` $(id)',
  'a\\b',
  '*?[x]',
  '# no comment',
  '; rm -rf x & y | z > w',
  '',
  'new\nline',
  '~',
  'ü 監視',
];

describe('a word', () => {
  test.each(nasty)('%j comes out of a shell as it went in', (word) => {
    expect(commandsOf(`vipshift ${shellWord(word)}`)).toEqual([['vipshift', word]]);
    expect(commandsOf(`aws ${shellWord(word)} ${shellWord(word)}`)).toEqual([['aws', word, word]]);
  });

  test('of a profile is quoted in every suggested command', () => {
    const place = { stage: 'prod', region: 'eu-west-1', profile: `ops' team` };
    expect(commandsOf(at(place, () => hint('unpin web')))).toEqual([
      ['vipshift', 'unpin', 'web', '--stage', 'prod', '--region', 'eu-west-1', '--profile', `ops' team`],
    ]);
  });
});

const route = { cell: 'c', from: 'eni-a', eni: 'eni-b', table: 'rtb-1' } as const;
const steps: readonly (readonly [Step, readonly string[]])[] = [
  [
    { ...route, call: 'ReplaceRoute', destination: V4 },
    [
      'replace-route',
      '--route-table-id',
      'rtb-1',
      '--destination-cidr-block',
      V4,
      '--network-interface-id',
      'eni-b',
    ],
  ],
  [
    { ...route, call: 'CreateRoute', destination: V6 },
    [
      ...['create-route', '--route-table-id', 'rtb-1', '--destination-ipv6-cidr-block', V6],
      ...['--network-interface-id', 'eni-b'],
    ],
  ],
  [
    { ...route, call: 'ReplaceRoute', destination: 'pl-01234567' },
    [
      ...['replace-route', '--route-table-id', 'rtb-1', '--destination-prefix-list-id', 'pl-01234567'],
      ...['--network-interface-id', 'eni-b'],
    ],
  ],
  [
    {
      call: 'AssociateAddress',
      cell: 'e',
      from: 'eni-a',
      eni: 'eni-b',
      eip: 'eipalloc-1',
      privateAddress: '10.0.0.9',
    },
    [
      ...['associate-address', '--allocation-id', 'eipalloc-1', '--network-interface-id', 'eni-b'],
      ...['--private-ip-address', '10.0.0.9', '--allow-reassociation'],
    ],
  ],
  [
    { call: 'ModifyNetworkInterfaceAttribute', cell: 'x', from: 'on', eni: 'eni-b' },
    ['modify-network-interface-attribute', '--network-interface-id', 'eni-b', '--no-source-dest-check'],
  ],
];

describe('a call', () => {
  test.each(steps)('%o is one line, to its Region and profile', (step, words) => {
    const line = awsLine(step, { region: 'eu-west-1', profile: `ops' team` });
    const place = ['--region', 'eu-west-1', '--profile', `ops' team`];
    expect(commandsOf(line)).toEqual([['aws', 'ec2', ...words, ...place]]);
    expect(awsLine(step, { region: 'r' })).not.toContain('--profile');
  });
});

test('everything but the sure calls and what keeps the controller off is a comment, whatever is in its text', () => {
  const evil = 'x\naws ec2 delete-route --route-table-id rtb-1\r\u2028vipshift vip remove web';
  const [sure, , , unsure] = steps.map(([step]) => step);
  const script: Script = {
    head: [evil],
    checks: [evil],
    before: ['vipshift pin web --to i-b'],
    steps: [sure!],
    unsure: [unsure!],
    conflicts: [conflict(evil, evil, { key: 'foreign-route' })],
    afterwards: [evil, 'vipshift unpin web'],
  };
  const lines = scriptLines(script, { region: 'r' });
  expect(commandsOf(lines.join('\n')).map((words) => words.slice(0, 3).join(' '))).toEqual([
    'vipshift pin web',
    'aws ec2 replace-route',
  ]);
  expect(lines.findIndex((line) => line.startsWith('# CHECK FIRST: '))).toBeLessThan(
    lines.findIndex((line) => !line.startsWith('#') && line !== ''),
  );
});

describe('what EC2 alone shows', () => {
  test('are the destinations that its tables route to its nodes or to nothing, and no other', async () => {
    const w = await owned();
    const { eips: _eips, ...rest } = w.ec2.enis.get('eni-i-a-service') as never as Record<string, never>;
    w.ec2.enis.set('eni-x', {
      ...(rest as never as object),
      eni: 'eni-x',
      label: 'other',
      node: 'i-x',
    } as never);
    routeTo(w, 'rtb-1', '192.0.2.1/32', { target: 'eni-x' });
    routeTo(w, 'rtb-2', '192.0.2.2/32', { target: 'eni-i-b-service' });
    const seen = await w.ec2.observe(item(w));
    expect(destinationsSeen(entry, seen)).toEqual(['192.0.2.2/32', V4, V6].sort());
    expect(placesOf(seen, ['web'])).toEqual([{ vpc: entry.vpc, account: entry.account }]);
    expect(placesOf(seen, ['db'])).toEqual([]);
  });
});
