// What GitHub shows to who reports something.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..', '..');
const text = (path: string): string => readFileSync(join(root, path), 'utf8');

type Field = {
  readonly type: string;
  readonly id?: string;
  readonly attributes: { readonly label?: string; readonly description?: string };
  readonly validations?: { readonly required?: boolean };
};

describe('the issue forms', () => {
  for (const form of ['bug', 'feature']) {
    test(`${form}: is one that GitHub takes: a name, a description, fields with ids and labels`, () => {
      const { name, description, body } = parse(text(`.github/ISSUE_TEMPLATE/${form}.yml`));
      expect(name).toEqual(expect.any(String));
      expect(description).toEqual(expect.any(String));
      const fields = (body as readonly Field[]).filter(({ type }) => type !== 'markdown');
      expect(fields.length).toBeGreaterThan(1);
      expect(new Set(fields.map(({ id }) => id)).size).toBe(fields.length);
      for (const { type, attributes } of fields) {
        expect(['input', 'textarea', 'dropdown', 'checkboxes']).toContain(type);
        expect(attributes.label).toEqual(expect.any(String));
      }
    });
  }

  test('a bug comes with what the doctor and the timeline say', () => {
    const { body } = parse(text('.github/ISSUE_TEMPLATE/bug.yml'));
    const required = (body as readonly Field[]).filter(({ validations }) => validations?.required);
    expect(required.map(({ id }) => id)).toEqual(['happened', 'doctor', 'timeline', 'version']);
    expect(text('.github/ISSUE_TEMPLATE/bug.yml')).toContain('vipshift doctor --json');
  });
});

describe('the pull request template', () => {
  test('asks what CONTRIBUTING.md shows filled in', () => {
    const questions = [...text('.github/pull_request_template.md').matchAll(/^\*\*(.+?)\*\*/gm)].map(
      ([, question]) => question!,
    );
    expect(questions).toHaveLength(4);
    for (const question of questions) expect(text('CONTRIBUTING.md')).toContain(`**${question}**`);
  });
});

describe('dependabot', () => {
  test('looks where dependencies are', () => {
    const { updates } = parse(text('.github/dependabot.yml'));
    expect(updates.map((entry: Record<string, string>) => entry['package-ecosystem'])).toEqual([
      'npm',
      'pip',
      'github-actions',
    ]);
    const pinned = globSync('**/requirements.txt', { cwd: root, exclude: ['node_modules', '.lab', '.git'] });
    const pip = updates.find((entry: Record<string, string>) => entry['package-ecosystem'] === 'pip');
    expect(pip.directories.toSorted()).toEqual(pinned.map((path) => `/${dirname(path)}`).toSorted());
  });
});

describe('editors and tools', () => {
  test('.nvmrc names the Node that the tests run on', () => {
    const { devDependencies } = JSON.parse(text('package.json'));
    expect(devDependencies.node.split('.')[0]).toBe(text('.nvmrc').trim());
  });
});
