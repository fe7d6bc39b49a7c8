/**
 * `tofu fmt`, built from OpenTofu's Go module without the rest of OpenTofu, once, and kept under .lab/cache.
 *
 * The command (fmt.go) with its arguments and all that formats are OpenTofu's files as they are. What the command takes from three more
 * packages is stood in for by tofu-fmt/*.go: with them it would be the whole of OpenTofu, six minutes of two cores.
 * Limit: how it prints is ours.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';

const MODULE = 'github.com/opentofu/opentofu';
const VERSION = 'v1.12.6';
const BUILD_MAX_MS = 900_000;
const standIns = join(import.meta.dirname, 'tofu-fmt');
const cache = join(import.meta.dirname, '..', '..', '.lab', 'cache');

/** What stays of OpenTofu: all that the command needs but for three packages. */
const kept = [
  ...['LICENSE', 'go.mod', 'go.sum', 'internal/tfdiags', 'internal/command/workdir'],
  ...[
    'internal/command/fmt.go',
    'internal/command/arguments/fmt.go',
    'internal/command/arguments/default.go',
  ],
];
/** Where each file of tofu-fmt/ goes. */
const standIn = {
  'main.go': 'cmd/tofu-fmt',
  'command.go': 'internal/command',
  'arguments.go': 'internal/command/arguments',
  'views.go': 'internal/command/views',
  'configs.go': 'internal/configs',
};

/** The program's path. Throws with what Go said when it cannot be built. */
export function tofuFmt(): string {
  const home = join(cache, `tofu-fmt-${VERSION}-${fingerprint()}`);
  const program = join(home, 'tofu-fmt');
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(`${home}.`);
  try {
    build(draft);
    // Another caller may have been faster.
    if (!existsSync(home)) renameSync(draft, home);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return program;
}

const fingerprint = (): string =>
  globSync('*.go', { cwd: standIns })
    .sort()
    .reduce((hash, name) => hash.update(readFileSync(join(standIns, name))), createHash('sha256'))
    .digest('hex')
    .slice(0, 12);

function build(folder: string): void {
  const download = go(folder, 'mod', 'download', '-json', `${MODULE}@${VERSION}`);
  const { Dir: module } = JSON.parse(download) as { readonly Dir: string };
  const sources = join(folder, 'sources');
  for (const path of kept) cpSync(join(module, path), join(sources, path), { recursive: true });
  for (const [name, place] of Object.entries(standIn)) {
    // Go keeps its modules read-only.
    mkdirSync(join(sources, place), { recursive: true });
    cpSync(join(standIns, name), join(sources, place, name === 'main.go' ? name : 'stand_in.go'));
  }
  go(sources, 'build', '-trimpath', '-mod=readonly', '-o', join(folder, 'tofu-fmt'), './cmd/tofu-fmt');
  rmSync(sources, { recursive: true });
}

const go = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('go', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: BUILD_MAX_MS,
  });
