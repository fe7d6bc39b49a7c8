/** `npm run build`: everything that is deployed or published, into dist/. Prints the size of each function. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundleCli } from './cli.ts';
import { budgetBytes, bundleFunctions, kib } from './functions.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const cli = join(root, 'cli', 'vipshift.ts');

const bundles = await bundleFunctions(join(root, 'functions'), join(dist, 'functions'));
for (const { name, bytes } of bundles) console.log(`function ${name}: ${kib(bytes)} of ${kib(budgetBytes)}`);
if (existsSync(cli)) {
  await bundleCli(cli, join(dist, 'cli', 'vipshift.js'));
  console.log('cli: dist/cli/vipshift.js');
}
