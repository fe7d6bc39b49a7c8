// The same simulation over a broken variant of the code: texts of single modules are replaced while they are loaded, and
// everything is bundled into one module. Fails when a text is not found exactly once: a control that patches nothing
// would prove nothing.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type * as Run from '../run.ts';

export interface Patch {
  /** From the repository's top. */
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

const top = fileURLToPath(new URL('../../../', import.meta.url));

export function patched(text: string, patch: Patch): string {
  const found = text.split(patch.replace).length - 1;
  if (found === 1) return text.replace(patch.replace, () => patch.by);
  throw new Error(`${patch.file}: found ${found} times, expected once: ${JSON.stringify(patch.replace)}`);
}

function patching(patches: readonly Patch[]): Plugin {
  const used = new Set<Patch>();
  return {
    name: 'patching',
    setup(builder) {
      builder.onLoad({ filter: /\.(ts|json)$/ }, async ({ path }) => {
        const mine = patches.filter((patch) => top + patch.file === path);
        if (mine.length === 0) return undefined;
        for (const patch of mine) used.add(patch);
        const loader = path.endsWith('.json') ? 'json' : 'ts';
        return { contents: mine.reduce(patched, await readFile(path, 'utf8')), loader };
      });
      builder.onEnd(() => {
        const unused = patches.find((patch) => !used.has(patch));
        return unused === undefined ? {} : { errors: [{ text: `${unused.file} is no part of the bundle` }] };
      });
    },
  };
}

/** The text of `entry` and all that it imports as one module, with the patches in. */
export async function bundled(entry: string, patches: readonly Patch[]): Promise<string> {
  const result = await build({
    entryPoints: [top + entry],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'silent',
    plugins: [patching(patches)],
  });
  return result.outputFiles[0]!.text;
}

export async function variant(patches: readonly Patch[]): Promise<typeof Run> {
  const text = await bundled('test/sim/run.ts', patches);
  return import(/* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
}
