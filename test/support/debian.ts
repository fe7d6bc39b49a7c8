// A Debian 13 beside this machine's own system, made once and kept in .lab/debian. Needs root and debootstrap.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Its folder; an Error where it cannot be had. */
export function debian13(): string {
  const script = join(import.meta.dirname, '../../lab/booted/boot-root.bash');
  const made = spawnSync(script, ['trixie'], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`there is no Debian 13: ${made.stderr}`);
  // How long it took to make, the first time.
  process.stderr.write(made.stderr);
  const root = made.stdout.trim();
  const version = readFileSync(join(root, 'etc/debian_version'), 'utf8').trim();
  if (!version.startsWith('13')) throw new Error(`${root} has Debian ${version}, expected 13`);
  return root;
}
