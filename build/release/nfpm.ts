/**
 * nfpm, which makes deb, rpm and apk: built once by Go from the module proxy, and kept under .lab/cache.
 *
 * Limit: a pinned version. Later ones need modules that the proxy does not serve.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const NFPM = 'v2.43.0';
const BUILD_MAX_MS = 900_000;
const cache = join(import.meta.dirname, '..', '..', '.lab', 'cache');

/** The program's path; callers at the same time build it once. Throws with what Go said when it cannot be built. */
export function nfpm(): string {
  const home = join(cache, `nfpm-${NFPM}`);
  const program = join(home, 'nfpm');
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  // go puts the program in place by a rename: it is there as a whole or not at all.
  const build = `test -x "$1" || go install -trimpath github.com/goreleaser/nfpm/v2/cmd/nfpm@${NFPM}`;
  const { status, stderr, error } = spawnSync('flock', [`${home}.lock`, 'sh', '-c', build, 'sh', program], {
    env: { ...process.env, GOBIN: home },
    encoding: 'utf8',
    timeout: BUILD_MAX_MS,
  });
  if (status !== 0) throw new Error(`go could not build nfpm ${NFPM}: ${error?.message ?? stderr.trim()}`);
  return program;
}
