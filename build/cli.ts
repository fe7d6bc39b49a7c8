/**
 * The command line for npm: cli/vipshift.ts, our own modules and all packages as JavaScript that Node 20 runs.
 * The source's hash-bang becomes the file's.
 *
 * Why built: Node does not strip types from files under node_modules, so an installed package has to be JavaScript.
 * Why in several files: what is imported only when it is wanted stays in a file of its own, so that --help does not load the SDK.
 * Why with its packages: `npx` then fetches one package instead of a hundred, and no version changes under it.
 */
import { chmod, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { inlineSchemaKeys, trimClientManifests } from './sdk-plugins.ts';

const executable = 0o755;

/** What a package in CommonJS asks for of Node itself. */
const requireForBundled =
  "import { createRequire as createRequireForBundled } from 'node:module'; const require = createRequireForBundled(import.meta.url);";

/** `outfile` is the one to run; what it loads later is in `parts`, in the same folder. */
export async function bundleCli(source: string, outfile: string): Promise<Metafile> {
  const outdir = dirname(outfile);
  // Their names depend on their content, so that those of an earlier build would stay for ever.
  await rm(join(outdir, 'parts'), { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: [{ in: source, out: basename(outfile, '.js') }],
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    banner: { js: requireForBundled },
    mainFields: ['module', 'main'],
    // Names stay, for who reads a stack trace.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    metafile: true,
    logLevel: 'warning',
    plugins: [inlineSchemaKeys, trimClientManifests],
  });
  await chmod(outfile, executable);
  return metafile;
}
