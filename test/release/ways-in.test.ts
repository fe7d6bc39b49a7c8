// The three ways in, with which both readmes begin: what they print works with the files and the template of a release.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { codeParameters } from '../../build/release/template.ts';
import { VERSION } from '../../shared/version.ts';

const root = join(import.meta.dirname, '..', '..');
const text = (path: string) => readFileSync(join(root, path), 'utf8');
const keys = (path: string, part: string): readonly string[] =>
  Object.keys((parse(text(path), { logLevel: 'error' }) as Record<string, object>)[part]!);

describe.each(['README.md', 'README.zh-CN.md'])('%s', (page) => {
  const [, ...sections] = text(page).split(/^## /m);
  const [tryIt = '', deployIt = '', onNodes = ''] = sections;
  const words = deployIt.replace(/\\\n\s*/g, ' ').split(/[\s`]+/);

  it('begins with how to try it, to deploy it, and to install it on nodes, each in under ten lines', () => {
    expect(tryIt).toContain('npm ci && npm run demo');
    expect(deployIt).toMatch(/aws cloudformation deploy[\s\S]*terraform\/[\s\S]*npm run deploy/);
    expect(onNodes).toMatch(/_all\.deb[\s\S]*\.noarch\.rpm[\s\S]*\.tar\.gz/);
    for (const section of [tryIt, deployIt, onNodes]) {
      const [, ...lines] = section.split('\n').filter((line) => line !== '' && !line.startsWith('```'));
      expect(lines.length).toBeLessThan(10);
    }
  });

  it('gives the template parameters that it has, the two that it asks for, and the role of the nodes', () => {
    const given = words.flatMap((word) => /^([A-Z]\w+)=/.exec(word)?.[1] ?? []);
    const known = [...keys('resources/parameters.yml', 'Parameters'), ...Object.keys(codeParameters)];
    expect(given.toSorted()).toEqual(['CodeBucket', 'NodeRoleArn', 'NodeRoleId', 'Stage']);
    expect(given.filter((name) => !known.includes(name))).toEqual([]);
    const params = words.flatMap((word, i) => (word === '--param' ? [words[i + 1]!.split('=')[0]!] : []));
    expect(params).toEqual(['nodeRoleId', 'nodeRoleArn']);
    for (const name of params) expect(text('resources/parameters.yml')).toContain(`\${param:${name}}`);
  });

  it('puts the zips where the template looks for them, into the bucket that it names', () => {
    const bucket = words.find((word) => word.startsWith('CodeBucket='))!.split('=')[1]!;
    expect(words).toContain(`s3://${bucket}/${codeParameters.CodePrefix.Default}`);
    expect(words[words.indexOf('--s3-bucket') + 1]).toBe(bucket);
  });

  it('names the stack and the bus as the stage is called', () => {
    const stage = words.find((word) => word.startsWith('Stage='))!.split('=')[1]!;
    expect(words[words.indexOf('--stack-name') + 1]).toBe(`vipshift-${stage}`);
    expect(onNodes).toContain(`--bus vipshift-${stage} `);
  });

  it('asks for this version', () => {
    expect(new Set(text(page).match(/(?<=vipshift(?:-notify)?[-_/])\d+\.\d+\.\d+/g))).toEqual(
      new Set([VERSION]),
    );
  });
});
