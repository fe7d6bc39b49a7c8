/**
 * The command line for npm: cli/vipshift.ts and our own modules as JavaScript that Node 20 runs; packages stay dependencies.
 * The source's hash-bang becomes the file's.
 *
 * Why built: Node does not strip types from files under node_modules, so an installed package has to be JavaScript.
 * Why in several files: what is imported only when it is wanted stays in a file of its own, so that --help does not load the SDK.
 */
import { chmod, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';

const executable = 0o755;

/** `outfile` is the one to run; what it loads later is in `parts`, in the same folder. */
export async function bundleCli(source: string, outfile: string): Promise<void> {
  const outdir = dirname(outfile);
  // Their names depend on their content, so that those of an earlier build would stay for ever.
  await rm(join(outdir, 'parts'), { recursive: true, force: true });
  await build({
    entryPoints: [{ in: source, out: basename(outfile, '.js') }],
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  });
  await chmod(outfile, executable);
}
