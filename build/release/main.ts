// `npm run release`: makes dist/release, and prints what is in it.
import { join } from 'node:path';
import { makeRelease, SUMS } from './release.ts';

const folder = join(import.meta.dirname, '..', '..', 'dist', 'release');
try {
  for (const { name, bytes, sha256 } of await makeRelease(folder))
    console.log(`${String(bytes).padStart(9)}  ${sha256}  ${name}`);
  console.log(`checksums: dist/release/${SUMS}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
