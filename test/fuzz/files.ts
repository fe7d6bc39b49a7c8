// Registry files: a valid one, spoilt by a grammar of mutations: of its text, and of what the text says.
import fc from 'fast-check';
import { change, double, insert, leaveOut, type Spoil, spoilt } from './spoil.ts';

export const validFile = `# the registry
vips:
  web:
    addresses: [192.168.255.10/32]
    vpc: vpc-0123456789abcdef0
  db:
    addresses:
      - 192.168.255.11
      - fd77:7669:7073::11
    eips: [eipalloc-0123456789abcdef0]
    vpc: vpc-0123456789abcdef0
    tableLabels: [db, edge]
    nodeLabels: [db]
    hold: master
    priority: first
  nat:
    pool: 192.168.254.0/28
    vpc: vpc-0123456789abcdef0
    allowPublic: false
`;

const scalars = fc.constantFrom(
  ...['null', '~', 'true', '1e3', '0x1f', '-1', '.nan', '.inf', '2026-11-22', '""', "''", '[]', '{}', '*'],
  ...['!!binary aGVsbG8=', '!!set {a, b}', '!!omap [a: 1]', '!!js/function x', '!foo bar', '[[[]]]', '% x'],
  ...['{a: 1, a: 2}', '? [a]: b', '"\\u0000"', '"\\u202E"', '<<: {a: 1}', '|\n      text', '>-\n      text'],
  ...[
    '__proto__',
    'constructor',
    '{__proto__: {x: 1}}',
    '192.168.255.10/33',
    '10.0.0.0/8',
    '"${HOME}"',
    '💥',
  ],
  ...['&a [*a]', '*absent', '@x'],
);
const lines = fc.constantFrom(
  ...[
    '---',
    '...',
    '%YAML 9.9',
    '\t- x',
    '  __proto__:',
    '  web: {}',
    'vips: []',
    'vips:',
    'other: 1',
    ': z',
  ],
  ...['    addresses: []', '    hold: both', '    <<: *x', '    pool: ::/0', '  - y', '  "": {}', '}', ']'],
  ...['  toString: {vpc: 1}', '? x'],
);

const withValue = (value: string): Spoil =>
  change((line) => {
    const colon = line.indexOf(': ');
    return colon === -1 ? `${line} ${value}` : `${line.slice(0, colon)}: ${value}`;
  });

const spoils: fc.Arbitrary<Spoil> = fc.oneof(
  fc.constant(leaveOut),
  fc.constant(double),
  fc.constant(change((line) => `  ${line}`)),
  fc.constant(change((line) => line.slice(1))),
  fc.constant(change((line) => line.slice(0, -1))),
  fc.constant<Spoil>((text, at) => text.slice(0, at)),
  lines.map(insert),
  scalars.map(withValue),
  fc.string({ unit: 'grapheme', maxLength: 30 }).map(withValue),
);

/** Nine levels of ten aliases each: a billion entries from a few hundred bytes. */
const bomb = Array.from({ length: 9 }, (_, n) => {
  const ten = Array(10).fill(n === 0 ? 'a' : `*x${n}`);
  return `x${n + 1}: &x${n + 1} [${ten.join(', ')}]`;
}).join('\n');

export const registryFile: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 40,
    arbitrary: spoilt(fc.constant(validFile.split('\n')), spoils).map((text) => text.join('\n')),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(bomb, '', '\uFEFF', '\u0000', '[]', 'vips: &v {web: *v}', validFile),
  },
);
