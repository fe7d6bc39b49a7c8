import { matchesGlob } from 'node:path';
import { describe, expect, test } from 'vitest';
import { everything, figures, speaking } from './architecture/figures.ts';
import {
  circlesOf,
  directionComplaints,
  importComplaints,
  serviceComplaints,
} from './architecture/imports.ts';
import { kindComplaints } from './architecture/kinds.ts';
import { clockComplaints } from './architecture/purity.ts';
import { exceptions, sentenceComplaints } from './architecture/sentences.ts';
import {
  defaultExportComplaints,
  FILES_MAX,
  folderComplaints,
  LINES_MAX,
  lengthComplaints,
  nameComplaints,
  parameterComplaints,
} from './architecture/shape.ts';
import { importsOf, type Source, sourcesOf } from './architecture/sources.ts';
import { globs, kinds } from './kinds.ts';

const shared = sourcesOf('shared');
const functions = sourcesOf('functions');
const cli = sourcesOf('cli');
const lab = sourcesOf('lab', ['.ts', '.cjs', '.mjs', '.py', '.sh', '.bash']);
const tests = sourcesOf('test');
const notify = sourcesOf('notify', ['.ts', '.sh', '.bash', 'vipshift-notify']);

describe('the architecture', () => {
  test('is looked at, not past: the files are there', () => {
    expect(shared.length).toBeGreaterThan(90);
    expect(functions.length).toBeGreaterThan(1);
    expect(lab.length).toBeGreaterThan(40);
    expect(notify.length).toBeGreaterThan(10);
    expect(everything().flatMap(importsOf).length).toBeGreaterThan(1500);
  });

  for (const { rule, complaints } of figures()) {
    test(`${rule}: none`, () => expect(complaints).toEqual([]));
  }

  test('only shared/aws/wire.ts reads the environment and the clock', () => {
    expect([...shared, ...functions].flatMap(clockComplaints)).toEqual([]);
  });

  test('every file is named after its concept', () => {
    expect([...shared, ...functions, ...cli, ...lab, ...notify].flatMap(nameComplaints)).toEqual([]);
  });

  test('nothing is exported without a name', () => {
    expect([...shared, ...functions, ...cli].flatMap(defaultExportComplaints)).toEqual([]);
  });

  test('a test file is named after what it starts', () => {
    expect(kindComplaints(tests)).toEqual([]);
  });

  test('every test file is in exactly one project of vitest', () => {
    const matches = (patterns: readonly string[], path: string) =>
      patterns.some((pattern) => matchesGlob(path, pattern));
    const isIn = (path: string) => (kind: (typeof kinds)[number]) =>
      matches(globs[kind].include, path) && !matches(globs[kind].exclude, path);
    const files = tests.map(({ path }) => path).filter((path) => path.endsWith('.test.ts'));
    expect(files.filter((path) => kinds.filter(isIn(path)).length !== 1)).toEqual([]);
    for (const kind of kinds)
      expect(files.filter((path) => isIn(path)(kind)).length, kind).toBeGreaterThan(0);
  });

  test(`files have at most ${LINES_MAX} lines`, () => {
    expect([...shared, ...functions, ...cli, ...notify, ...lab].flatMap(lengthComplaints)).toEqual([]);
  });
});

describe('a decision on a sentence', () => {
  const decides = (text: string) => sentenceComplaints([{ path: 'shared/vip/a.ts', text }], []);

  test('is made nowhere, but where a reason is given', () => {
    expect(sentenceComplaints(speaking())).toEqual([]);
    for (const { because } of exceptions) expect(because.length).toBeGreaterThan(10);
  });

  test.each([
    ['the beginning of one', "signs.why.startsWith('EC2 shows no labelled ENI')"],
    ['words in one', "found.includes('secondary CIDR')"],
    ['a word in what is written for people', "why.includes('gateway')"],
    ['a word at its end', "stage.endsWith(' began')"],
    ['one that is compared', "const x = why === 'lease lost' ? 1 : 2;"],
    ['one that is compared with a template', 'const x = why !== `lease lost by ${node}`;'],
    ['one in a switch', "switch (x) { case 'no owner': break; }"],
    ['a pattern of words', '/no claim within/.test(cause)'],
    ['any pattern on a message', 'words.test(error.message)'],
    ['a pattern with a name', 'const pattern = /not found here/; pattern.exec(x)'],
    ['optional chains', "error?.message?.includes('expired')"],
    ['ids that are split again', "const [eni, ip] = step.to.split(' ');"],
    ['a field that may be absent, by hand', 'const a = { ...(x === undefined ? {} : { x }) };'],
  ])('is found: %s', (_what, text) => expect(decides(text)).toHaveLength(1));

  test.each([
    ['codes and ids', "id.startsWith('order/') || code === 'Throttling' || error.name.startsWith('Ssm.')"],
    ['lines and lists', "message.split('\\n'); list.includes(node); text.split(',')"],
    ['texts that are made', "const why = x ? 'drift at a cell' : `no claim within ${n} s`;"],
    ['fields that may be absent', 'const a = { ...defined({ x }), ...(on ? { y } : {}) };'],
  ])('is not: %s', (_what, text) => expect(decides(text)).toEqual([]));

  test('may be excepted by its file and code; an exception that nothing needs is refused', () => {
    const text = "why.includes('gateway')";
    const exception = { path: 'shared/vip/a.ts', code: 'why.includes(', because: 'a test' };
    const source = { path: 'shared/vip/a.ts', text };
    expect(sentenceComplaints([source], [exception])).toEqual([]);
    expect(sentenceComplaints([source], [{ ...exception, path: 'shared/vip/b.ts' }])).toHaveLength(2);
    expect(sentenceComplaints([], [exception])).toHaveLength(1);
  });
});

describe('each rule finds what it is for', () => {
  const source = (path: string, text: string): Source => ({ path, text });
  const imports = (path: string, from: string) => source(path, `import { x } from '${from}';`);
  const bad: readonly (readonly [string, readonly unknown[]])[] = [
    ['a package in the domain', importComplaints(imports('shared/vip/a.ts', 'zod'))],
    ['node: in the domain', importComplaints(imports('shared/timeline/a.ts', 'node:fs'))],
    [
      'a type from above',
      importComplaints(source('shared/vip/a.ts', "import type { X } from '../switch/x.ts';")),
    ],
    [
      'an import type() from above',
      importComplaints(source('shared/vip/a.ts', "type X = import('../aws/x.ts').X;")),
    ],
    ['an import at run time', importComplaints(source('shared/vip/a.ts', "await import('zod');"))],
    [
      'a re-export from above',
      importComplaints(source('shared/vip/a.ts', "export * from '../memory/x.ts';")),
    ],
    ['a room of the same row', importComplaints(imports('shared/network/a.ts', '../registry/x.ts'))],
    ['a row above', importComplaints(imports('shared/switch/a.ts', '../controller/x.ts'))],
    ['the ground on a room', importComplaints(imports('shared/time.ts', './vip/x.ts'))],
    ['memory on AWS', importComplaints(imports('shared/memory/a.ts', '../aws/x.ts'))],
    ['shared looking outwards', importComplaints(imports('shared/aws/ec2/a.ts', '../../../cli/x.ts'))],
    ['a specifier without .ts', importComplaints(imports('shared/vip/a.ts', './b'))],
    ['a file in no room', importComplaints(imports('shared/a.ts', './time.ts'))],
    ['a service that reads the environment', serviceComplaints(imports('shared/aws/ec2/a.ts', '../wire.ts'))],
    ['a function using the lab', directionComplaints(imports('functions/a.ts', '../lab/x.ts'))],
    ['product code using a test', directionComplaints(imports('bench/a.ts', '../test/x.ts'))],
    [
      "a command using another command's words",
      directionComplaints(imports('cli/vip/a.ts', '../apply/command.ts')),
    ],
    ['cli/command knowing a command', directionComplaints(imports('cli/command/a.ts', '../vip/add.ts'))],
    [
      'a circle of two',
      circlesOf([imports('shared/vip/a.ts', './b.ts'), imports('shared/vip/b.ts', './a.ts')]),
    ],
    [
      'a circle of types over three',
      circlesOf([
        source('a/a.ts', "import type { B } from './b.ts';"),
        source('a/b.ts', "export type B = import('./c.ts').C;"),
        source('a/c.ts', "export * from './a.ts';"),
      ]),
    ],
    ['a crowded folder', folderComplaints(Array.from({ length: FILES_MAX + 1 }, (_, n) => `cli/x/${n}.ts`))],
    ['five parameters', parameterComplaints(source('cli/a.ts', 'const f = (a, b, c, d, e) => 0;'))],
    ['five in a method', parameterComplaints(source('cli/a.ts', 'class A { m(a, b, c, d, e) {} }'))],
    [
      'five in a type',
      parameterComplaints(source('cli/a.ts', 'type F = (a: 1, b: 1, c: 1, d: 1, e: 1) => 1;')),
    ],
    [
      'five in a port',
      parameterComplaints(source('cli/a.ts', 'interface P { m(a: 1, b: 1, c: 1, d: 1, e: 1): 1 }')),
    ],
    ['the environment', clockComplaints(source('functions/a.ts', 'const x = process.env.X;'))],
    ['Date.now', clockComplaints(source('shared/vip/a.ts', 'const x = Date.now();'))],
    ['Date.now, handed on', clockComplaints(source('shared/vip/a.ts', 'const now = Date.now;'))],
    ['new Date()', clockComplaints(source('shared/vip/a.ts', 'const x = new Date();'))],
    ['new Date', clockComplaints(source('shared/vip/a.ts', 'const x = new Date;'))],
    ['performance.now', clockComplaints(source('shared/vip/a.ts', 'performance.now()'))],
    ['setTimeout', clockComplaints(source('shared/aws/a.ts', 'setTimeout(f, 1);'))],
    [
      'a timer module',
      clockComplaints(source('shared/aws/a.ts', "import { setTimeout as s } from 'node:timers/promises';")),
    ],
    ['an empty name', nameComplaints(source('shared/vip/string-utils.ts', ''))],
    ['an empty folder name', nameComplaints(source('lab/helpers/x.ts', ''))],
    ['a default export', defaultExportComplaints(source('cli/a.ts', 'export default function f() {}'))],
    [
      'a default export by its name',
      defaultExportComplaints(source('cli/a.ts', 'const f = 1; export { f as default };')),
    ],
    [
      'a local AWS under a plain name',
      kindComplaints([
        source('test/a.test.ts', "import { type LocalAws, startLocalAws } from '../lab/aws/local-aws.ts';"),
      ]),
    ],
    [
      'a local AWS through another file of the tests',
      kindComplaints([
        source('test/a.test.ts', "import { region } from './b.ts';"),
        source('test/b.ts', "import { startStack } from '../lab/aws/stack/stack.ts';"),
      ]),
    ],
    [
      'a node as a test of AWS',
      kindComplaints([source('test/a.aws.test.ts', "import { startNode } from '../lab/shim/node.ts';")]),
    ],
    [
      'a namespace under a plain name',
      kindComplaints([source('test/a.test.ts', ['spawnSync(', "'unshare', ['-n']);"].join(''))]),
    ],
    ['an .aws that starts none', kindComplaints([imports('test/a.aws.test.ts', '../shared/time.ts')])],
    [
      'a server in the simulation',
      kindComplaints([
        source('test/sim/a.aws.test.ts', "import { startLocalAws } from '../../lab/aws/local-aws.ts';"),
      ]),
    ],
    ['a long file', lengthComplaints(source('cli/a.ts', 'x\n'.repeat(LINES_MAX + 1)))],
  ];
  for (const [what, complaints] of bad) {
    test(what, () => expect(complaints.length).toBeGreaterThan(0));
  }

  test('and nothing else', () => {
    const fine = source(
      'shared/switch/a.ts',
      "// from 'zod', Date.now()\n/* import 'node:fs' */\nimport type { X } from '../vip/b.ts';\nimport './c.ts';\nnew Date(0);\nDate.parse('x');\nconst f = (a: 1, b: 1, c: 1, d: 1) => 0;",
    );
    expect([importComplaints(fine), clockComplaints(fine), nameComplaints(fine)]).toEqual([[], [], []]);
    expect([parameterComplaints(fine), circlesOf([fine]), defaultExportComplaints(fine)]).toEqual([
      [],
      [],
      [],
    ]);
    expect(lengthComplaints(source('cli/a.ts', 'x\n'.repeat(LINES_MAX)))).toEqual([]);
    const typeOnly = "import { type LocalAws, childEnv } from '../lab/aws/local-aws.ts';";
    expect(kindComplaints([source('test/a.test.ts', typeOnly)])).toEqual([]);
    expect(folderComplaints(Array.from({ length: FILES_MAX }, (_, n) => `cli/x/${n}.ts`))).toEqual([]);
    expect(clockComplaints(source('shared/aws/wire.ts', 'Date.now()'))).toEqual([]);
    expect(directionComplaints(imports('cli/vip/a.ts', '../apply/run.ts'))).toEqual([]);
  });
});
