/**
 * nfpm, which makes deb, rpm and apk: built once by Go from the module proxy, and kept under .lab/cache.
 *
 * Limit: a pinned version. Later ones need modules that the proxy does not serve.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const NFPM = 'v2.43.0';
const BUILD_MAX_MS = 900_000;
const cache = join(import.meta.dirname, '..', '..', '.lab', 'cache');

/** The program's path. Throws with what Go said when it cannot be built. */
export function nfpm(): string {
  const home = join(cache, `nfpm-${NFPM}`);
  if (existsSync(home)) return join(home, 'nfpm');
  const draft = `${home}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    const { status, stderr, error } = spawnSync(
      'go',
      ['install', '-trimpath', `github.com/goreleaser/nfpm/v2/cmd/nfpm@${NFPM}`],
      { env: { ...process.env, GOBIN: draft }, encoding: 'utf8', timeout: BUILD_MAX_MS },
    );
    if (status !== 0) throw new Error(`go could not build nfpm ${NFPM}: ${error?.message ?? stderr.trim()}`);
    // Another process may have been quicker; its result is the same.
    if (!existsSync(home)) renameSync(draft, home);
    return join(home, 'nfpm');
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
