import { describe, expect, test } from 'vitest';
import {
  clockComplaints,
  defaultExportComplaints,
  directionComplaints,
  importComplaints,
  importsOf,
  LINES_MAX,
  lengthComplaints,
  nameComplaints,
  type Source,
  sourcesOf,
} from './architecture.ts';

const shared = sourcesOf('shared');
const functions = sourcesOf('functions');
const cli = sourcesOf('cli');
const lab = sourcesOf('lab', ['.ts', '.cjs', '.mjs', '.py', '.sh', '.bash']);
const notify = sourcesOf('notify', ['.ts', '.sh', '.bash', 'vipshift-notify']);

describe('the house', () => {
  test('is looked at, not past: the files are there', () => {
    expect(shared.length).toBeGreaterThan(30);
    expect(functions.length).toBeGreaterThan(1);
    expect(lab.length).toBeGreaterThan(5);
    expect(notify.length).toBeGreaterThan(1);
    expect(shared.flatMap(importsOf).length).toBeGreaterThan(100);
  });

  test('imports point inwards: shared/*.ts to its siblings and to nothing else, no package and no node:', () => {
    expect(shared.flatMap(importComplaints)).toEqual([]);
  });

  test('functions and cli use shared and themselves', () => {
    expect([...functions, ...cli].flatMap(directionComplaints)).toEqual([]);
  });

  test('only shared/aws/wire.ts reads the environment and the clock', () => {
    expect([...shared, ...functions].flatMap(clockComplaints)).toEqual([]);
  });

  test('every file is named after its concept', () => {
    expect([...shared, ...functions, ...cli, ...lab, ...notify].flatMap(nameComplaints)).toEqual([]);
  });

  test('nothing is exported without a name', () => {
    expect([...shared, ...functions, ...cli].flatMap(defaultExportComplaints)).toEqual([]);
  });

  test(`files have at most ${LINES_MAX} lines`, () => {
    expect([...shared, ...functions, ...cli, ...notify, ...lab].flatMap(lengthComplaints)).toEqual([]);
  });
});

describe('each rule finds what it is for', () => {
  const source = (path: string, text: string): Source => ({ path, text });
  const bad: readonly (readonly [string, readonly string[]])[] = [
    ['a package', importComplaints(source('shared/a.ts', "import * as z from 'zod';"))],
    ['node:', importComplaints(source('shared/a.ts', "import { x } from 'node:fs';"))],
    ['a type from outside', importComplaints(source('shared/a.ts', "import type { X } from './aws/x.ts';"))],
    ['an import at run time', importComplaints(source('shared/a.ts', "await import('zod');"))],
    ['a re-export', importComplaints(source('shared/a.ts', "export * from './memory/x.ts';"))],
    [
      'an import over several lines',
      importComplaints(source('shared/a.ts', "import {\n  x,\n} from 'zod';")),
    ],
    ['memory on AWS', importComplaints(source('shared/memory/a.ts', "import { x } from '../aws/x.ts';"))],
    [
      'shared looking outwards',
      importComplaints(source('shared/aws/a.ts', "import { x } from '../../cli/x.ts';")),
    ],
    ['a specifier without .ts', importComplaints(source('shared/a.ts', "import { x } from './b';"))],
    [
      'a function using the lab',
      directionComplaints(source('functions/a.ts', "import { x } from '../lab/x.ts';")),
    ],
    ['the environment', clockComplaints(source('functions/a.ts', 'const x = process.env.X;'))],
    ['Date.now', clockComplaints(source('shared/a.ts', 'const x = Date.now();'))],
    ['Date.now, handed on', clockComplaints(source('shared/a.ts', 'const now = Date.now;'))],
    ['new Date()', clockComplaints(source('shared/a.ts', 'const x = new Date();'))],
    ['new Date', clockComplaints(source('shared/a.ts', 'const x = new Date;'))],
    ['performance.now', clockComplaints(source('shared/a.ts', 'performance.now()'))],
    ['setTimeout', clockComplaints(source('shared/aws/a.ts', 'setTimeout(f, 1);'))],
    [
      'a timer module',
      clockComplaints(source('shared/aws/a.ts', "import { setTimeout as s } from 'node:timers/promises';")),
    ],
    ['an empty name', nameComplaints(source('shared/string-utils.ts', ''))],
    ['an empty folder name', nameComplaints(source('lab/helpers/x.ts', ''))],
    ['a default export', defaultExportComplaints(source('cli/a.ts', 'export default function f() {}'))],
    ['a long file', lengthComplaints(source('cli/a.ts', 'x\n'.repeat(LINES_MAX + 1)))],
  ];
  for (const [what, complaints] of bad) {
    test(what, () => expect(complaints.length).toBeGreaterThan(0));
  }

  test('and nothing else', () => {
    const fine = source(
      'shared/a.ts',
      "// from 'zod', Date.now()\n/* import 'node:fs' */\nimport type { X } from './b.ts';\nnew Date(0);\nDate.parse('x');",
    );
    expect([importComplaints(fine), clockComplaints(fine), nameComplaints(fine)]).toEqual([[], [], []]);
    expect(lengthComplaints(source('cli/a.ts', 'x\n'.repeat(LINES_MAX)))).toEqual([]);
    expect(clockComplaints(source('shared/aws/wire.ts', 'Date.now()'))).toEqual([]);
  });
});
