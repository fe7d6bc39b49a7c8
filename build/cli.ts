/**
 * The command line for npm: cli/vipshift.ts and our own modules as one JavaScript file that Node 20 runs; packages stay dependencies.
 * The source's hash-bang becomes the file's.
 *
 * Why built: Node does not strip types from files under node_modules, so an installed package has to be JavaScript.
 */
import { chmod } from 'node:fs/promises';
import { build } from 'esbuild';

const executable = 0o755;

export async function bundleCli(source: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  });
  await chmod(outfile, executable);
}
