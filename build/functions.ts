/**
 * The bundles of the Lambda functions: each file directly under functions/ becomes dist/functions/<name>/index.cjs and <name>.zip.
 *
 * Invariant: no function is over its budget (budgetBytes, minified); one that is fails the build, which lists what it is made of.
 * Folders under functions/ hold what several functions share and are no functions themselves.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { sdkPlugins } from './sdk-plugins.ts';
import { zip } from './zip.ts';

export const budgetBytes = 400 * 1024;
const largestShown = 12;
/** As Lambda finds the handler `index.handler`; there, no package.json makes an ES module of it. */
const NAME_IN_ZIP = 'index.js';

export interface FunctionBundle {
  readonly name: string;
  readonly bytes: number;
  readonly zipFile: string;
}

export async function bundleFunctions(
  folder: string,
  outFolder: string,
  budget = budgetBytes,
): Promise<FunctionBundle[]> {
  const files = await readdir(folder, { withFileTypes: true });
  const sources = files.filter((file) => file.isFile() && file.name.endsWith('.ts')).map((file) => file.name);
  await rm(outFolder, { recursive: true, force: true });
  await mkdir(outFolder, { recursive: true });
  return Promise.all(sources.sort().map((source) => bundleFunction(join(folder, source), outFolder, budget)));
}

async function bundleFunction(source: string, outFolder: string, budget: number): Promise<FunctionBundle> {
  const name = basename(source, '.ts');
  const outfile = join(outFolder, name, 'index.cjs');
  const { metafile } = await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    // Node loads it with less CPU than a module (docs/decisions/0049).
    format: 'cjs',
    mainFields: ['module', 'main'],
    // In a file of its own, for reading stack traces; in the zip it would add 9 ms to every cold start.
    sourcemap: 'external',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    plugins: [...sdkPlugins],
  });
  const code = await readFile(outfile);
  if (code.length > budget) {
    throw new Error(
      `function ${name} is ${kib(code.length)} minified, expected at most ${kib(budget)}. Its largest parts:\n${parts(metafile)}\n` +
        'Import less, or raise the budget in build/functions.ts and say why in docs/decisions.',
    );
  }
  const zipFile = join(outFolder, `${name}.zip`);
  await writeFile(zipFile, zip([{ name: NAME_IN_ZIP, data: code }]));
  return { name, bytes: code.length, zipFile };
}

/** What a bundle is made of, by package, the largest first. */
export function parts(metafile: Metafile): string {
  const bytesByPart = new Map<string, number>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const part = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? input;
      bytesByPart.set(part, (bytesByPart.get(part) ?? 0) + bytesInOutput);
    }
  }
  const largest = [...bytesByPart].sort(([, a], [, b]) => b - a).slice(0, largestShown);
  return largest.map(([part, bytes]) => `  ${kib(bytes).padStart(8)}  ${part}`).join('\n');
}

export function kib(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KB`;
}
