import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TestSpecification, Vitest } from 'vitest/node';
import { LongestFirst, seconds } from './sequencer.ts';

const root = join(import.meta.dirname, '..');

it('knows files that there are', () => {
  expect(Object.keys(seconds).filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

const of = (name: string, path: string) =>
  ({
    moduleId: join(root, path),
    project: { name, config: { isolate: true, sequence: { groupOrder: 0 } } },
  }) as unknown as TestSpecification;
const took = { failed: false, duration: 1 };
const vitest = { cache: { getTestSpecificationResult: () => took } } as unknown as Vitest;

it('begins with what takes longest, whatever its kind, and leaves the rest in vitest’s order', async () => {
  const [longest, second] = Object.entries(seconds)
    .sort(([, a], [, b]) => b - a)
    .map(([path]) => path);
  const files = [
    of('unit', 'test/none.test.ts'),
    of('aws', 'test/none.aws.test.ts'),
    of('aws', second!),
    of('sim', longest!),
  ];
  const sorted = await new LongestFirst(vitest).sort(files);
  expect(sorted).toEqual([files[3], files[2], files[1], files[0]]);
});

it('begins what it does not know with what waits for a node or an emulator, and ends with unit tests', async () => {
  const known = Object.keys(seconds)[0]!;
  const files = ['unit', 'sim', 'bench', 'aws', 'nodes'].map((kind) => of(kind, `test/none.${kind}.test.ts`));
  const sorted = await new LongestFirst(vitest).sort([...files, of('unit', known)]);
  expect(sorted.map(({ project, moduleId }) => [project.name, moduleId === join(root, known)])).toEqual([
    ['unit', true],
    ['nodes', false],
    ['aws', false],
    ['bench', false],
    ['sim', false],
    ['unit', false],
  ]);
});
