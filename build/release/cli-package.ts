/**
 * The command line as a package for npm: bundled, so that `npx` runs it without a build and installs nothing else.
 *
 * Invariants: its manifest has no dependency and no script, and the licence of every package that is in the bundle goes with it. A file that
 * its messages or its documents name is in it (test/release/pointers.long.test.ts).
 */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleCli } from '../cli.ts';

const root = join(import.meta.dirname, '..', '..');

/** What the package has besides the bundle: what its texts, its readme and its documents point to. */
const parts = [
  ...['docs', 'events', 'notify', 'resources/policies', 'terraform'],
  ...['README.md', 'README.zh-CN.md', 'LICENSE'],
  ...['CHANGELOG.md', 'CODE_OF_CONDUCT.md', 'CONTRIBUTING.md', 'SECURITY.md'],
] as const;
/** Of package.json; the rest is for who works on vipshift. */
const fields = [
  ...['name', 'version', 'description', 'keywords', 'license', 'repository', 'homepage', 'bugs'],
  ...['type', 'engines', 'bin', 'publishConfig'],
] as const;

/** Lays the package out in a folder. */
export async function stageCli(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { inputs } = await bundleCli(
    join(root, 'cli', 'vipshift.ts'),
    join(folder, 'dist', 'cli', 'vipshift.js'),
  );
  for (const part of parts) await cp(join(root, part), join(folder, part), { recursive: true });
  const whole = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  const manifest = Object.fromEntries(fields.map((field) => [field, whole[field]]));
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await writeFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), await noticesOf(Object.keys(inputs)));
}

/** Packs what was laid out; returns the tarball's name. npm gives every file the same date. */
export function packCli(staged: string, destination: string): string {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', destination];
  const [packed] = JSON.parse(execFileSync('npm', args, { cwd: staged, encoding: 'utf8' })) as [
    { filename: string },
  ];
  return packed.filename;
}

async function noticesOf(inputs: readonly string[]): Promise<string> {
  const homes = inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  const notices = await Promise.all([...new Set(homes)].map((home) => noticeOf(join(root, home))));
  return `vipshift contains these packages.\n\n${notices.toSorted().join('\n')}`;
}

async function noticeOf(home: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const files = (await readdir(home)).filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(home, file), 'utf8')));
  return [`${name} ${version} (${license ?? 'no licence named'})`, ...texts]
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}
