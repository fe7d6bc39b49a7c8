// Registry files: a valid one, spoilt by a grammar of mutations: of its text, and of what the text says.
import fc from 'fast-check';

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
  ...[
    'null',
    '~',
    'true',
    '1e3',
    '0x1f',
    '-1',
    '.nan',
    '.inf',
    '2026-11-22',
    '""',
    "''",
    '[]',
    '{}',
    '[[[]]]',
  ],
  ...[
    '!!binary aGVsbG8=',
    '!!set {a, b}',
    '!!omap [a: 1]',
    '!!js/function x',
    '!foo bar',
    '&a [*a]',
    '*absent',
  ],
  ...[
    '{a: 1, a: 2}',
    '? [a]: b',
    '"\\u0000"',
    '"\\u202E"',
    '<<: {a: 1}',
    '|\n      text',
    '>-\n      text',
    '💥',
  ],
  ...[
    '__proto__',
    'constructor',
    '{__proto__: {x: 1}}',
    '192.168.255.10/33',
    '10.0.0.0/8',
    '*',
    '"${HOME}"',
    '% x',
    '@x',
  ],
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
    '    addresses: []',
  ],
  ...[
    '    hold: both',
    '    <<: *x',
    '? x',
    '  - y',
    ': z',
    '  "": {}',
    '    pool: ::/0',
    '  toString: {vpc: 1}',
    '}',
    ']',
  ],
);

type Spoil = (text: readonly string[], at: number) => readonly string[];
const withValue = (line: string, value: string): string => {
  const colon = line.indexOf(': ');
  return colon === -1 ? `${line} ${value}` : `${line.slice(0, colon)}: ${value}`;
};

const spoils: fc.Arbitrary<Spoil> = fc.oneof(
  fc.constant<Spoil>((text, at) => text.toSpliced(at, 1)),
  fc.constant<Spoil>((text, at) => text.toSpliced(at, 0, text[at]!)),
  fc.constant<Spoil>((text, at) => text.toSpliced(at, 1, `  ${text[at]}`)),
  fc.constant<Spoil>((text, at) => text.toSpliced(at, 1, text[at]!.slice(1))),
  fc.constant<Spoil>((text, at) => text.toSpliced(at, 1, text[at]!.slice(0, -1))),
  fc.constant<Spoil>((text, at) => text.slice(0, at)),
  lines.map(
    (line): Spoil =>
      (text, at) =>
        text.toSpliced(at, 0, line),
  ),
  scalars.map(
    (value): Spoil =>
      (text, at) =>
        text.toSpliced(at, 1, withValue(text[at]!, value)),
  ),
  fc.string({ unit: 'grapheme', maxLength: 30 }).map(
    (value): Spoil =>
      (text, at) =>
        text.toSpliced(at, 1, withValue(text[at]!, value)),
  ),
);

/** Nine levels of ten aliases each: a billion entries from a few hundred bytes. */
const bomb = Array.from(
  { length: 9 },
  (_, n) =>
    `x${n + 1}: &x${n + 1} [${Array(10)
      .fill(n === 0 ? 'a' : `*x${n}`)
      .join(', ')}]`,
).join('\n');

export const registryFile: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.constantFrom(bomb, '', '\uFEFF', '\u0000', '[]', 'vips: &v {web: *v}', validFile),
  },
  {
    weight: 40,
    arbitrary: fc
      .array(fc.tuple(spoils, fc.nat({ max: 30 })), { minLength: 0, maxLength: 3 })
      .map((all) =>
        all
          .reduce<readonly string[]>(
            (text, [how, at]) => (text.length === 0 ? text : how(text, at % text.length)),
            validFile.split('\n'),
          )
          .join('\n'),
      ),
  },
);
