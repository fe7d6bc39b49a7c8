/**
 * Programs that Go builds from the module proxy, once each, and keeps under .lab/cache.
 *
 * Limit: pinned versions; later ones of nfpm need modules that the proxy does not serve.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';

const BUILD_MAX_MS = 900_000;
const cache = join(import.meta.dirname, '..', '..', '.lab', 'cache');

const programs = {
  /** Makes deb, rpm and apk. */
  nfpm: { package: 'github.com/goreleaser/nfpm/v2/cmd/nfpm', version: 'v2.43.0' },
} as const;

/** The program's path; callers at the same time build it once. Throws with what Go said when it cannot be built. */
export function goProgram(name: keyof typeof programs): string {
  const { package: source, version } = programs[name];
  const home = join(cache, `${name}-${version}`);
  const program = join(home, basename(source));
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  // go puts the program in place by a rename: it is there as a whole or not at all.
  const build = `test -x "$1" || go install -trimpath ${source}@${version}`;
  const { status, stderr, error } = spawnSync('flock', [`${home}.lock`, 'sh', '-c', build, 'sh', program], {
    env: { ...process.env, GOBIN: home },
    encoding: 'utf8',
    timeout: BUILD_MAX_MS,
  });
  if (status !== 0)
    throw new Error(`go could not build ${name} ${version}: ${error?.message ?? stderr.trim()}`);
  return program;
}
