// What the judges are made of, in exact versions with their checksums: fetched on the fly into .lab/judges, by npm and Maven as they are
// configured on this machine, and no dependency of this project (docs/decisions/0034).
//
// Invariant: a folder named by the hash of what it is made of is complete. Limit: each fetch has a bound in time, so that a machine
// without a network is told so instead of waiting.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FETCH_MAX_MS = 180_000;
const here = join(import.meta.dirname, 'pinned');

interface Fetching {
  /** npm or Maven. */
  readonly program: string;
  /** Where the judges are kept. */
  readonly place: string;
}
const place = join(import.meta.dirname, '..', '..', '..', '.lab', 'judges');

const withNpm: Fetching = { program: 'npm', place };
const withMaven: Fetching = { program: 'mvn', place };

/** A judge could not be fetched. The message is one line for people. */
export class NotFetchedError extends Error {
  override readonly name = 'NotFetchedError';
}

const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');

/** Made once, as a draft that is renamed when it is complete. */
async function made(
  { place, name, of }: { readonly place: string; readonly name: string; readonly of: string },
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const home = join(place, `${name}-${sha256(of).slice(0, 16)}`);
  if (existsSync(home)) return home;
  await mkdir(place, { recursive: true });
  const draft = await mkdtemp(join(place, 'draft-'));
  try {
    await make(draft);
    await rename(draft, home).catch((error: unknown) => {
      // Another process was quicker.
      if (!existsSync(home)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return home;
}

async function fetched(what: string, program: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await run(program, args, { cwd, timeout: FETCH_MAX_MS, killSignal: 'SIGKILL', maxBuffer: 1 << 24 });
  } catch (error) {
    const {
      killed,
      stderr = '',
      stdout = '',
      message,
    } = error as Error & {
      readonly killed?: boolean;
      readonly stderr?: string;
      readonly stdout?: string;
    };
    const said = [...stderr.split('\n'), ...stdout.split('\n'), message].find((line) => line.trim() !== '');
    const why = killed === true ? `no answer within ${FETCH_MAX_MS / 1000} s` : said;
    throw new NotFetchedError(`${what} could not be fetched (${program}): ${why?.trim()}`);
  }
}

/** The folder of @cloud-copilot/iam-simulate; npm compares each package with the lock's checksum. */
export async function iamSimulate({ program, place }: Fetching = withNpm): Promise<string> {
  const lock = readFileSync(join(here, 'iam-simulate.lock.json'), 'utf8');
  const home = await made({ place, name: 'iam', of: lock }, async (folder) => {
    const { packages } = JSON.parse(lock) as { packages: Record<string, object> };
    await writeFile(join(folder, 'package.json'), JSON.stringify({ ...packages[''], private: true }));
    await writeFile(join(folder, 'package-lock.json'), lock);
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=1'];
    await fetched('the judge of policies', program, args, folder);
  });
  return join(home, 'node_modules', '@cloud-copilot', 'iam-simulate');
}

const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** The folder of event-ruler's jars, each compared with its checksum. */
export async function eventRuler({ program, place }: Fetching = withMaven): Promise<string> {
  const [pom, sums] = ['event-ruler.pom.xml', 'event-ruler.sha256'].map((name) =>
    readFileSync(join(here, name), 'utf8'),
  ) as [string, string];
  return made({ place, name: 'ruler', of: pom + sums }, async (folder) => {
    await cp(join(here, 'event-ruler.pom.xml'), join(folder, 'pom.xml'));
    await fetched('the judge of rules', program, ['-q', '-B', PLUGIN, '-DoutputDirectory=.'], folder);
    await rm(join(folder, 'target'), { recursive: true, force: true });
    const found = readdirSync(folder)
      .filter((name) => name.endsWith('.jar'))
      .map((name) => `${sha256(readFileSync(join(folder, name)))}  ${name}`);
    const strange = [
      ...found.filter((line) => !sums.includes(line)),
      ...linesOf(sums).filter((l) => !found.includes(l)),
    ];
    if (strange.length > 0)
      throw new NotFetchedError(`the judge of rules is not what was pinned: ${strange.join(', ')}`);
  });
}

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');
