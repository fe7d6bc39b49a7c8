/** Machine: what a preparation knows of the machine it runs on, so that a test can put another one in its place. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Machine {
  /** PATH is where programs are looked for. */
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
  /** The folder of the Python environments that were made already. */
  readonly venvs: string;
  /** The folder in which apt keeps its package lists. */
  readonly lists: string;
  /** The folder that is there only while systemd runs, without its last part. */
  readonly systemd: string;
  readonly say: (text: string) => void;
}

export const thisMachine = (): Machine => ({
  env: { ...process.env, PATH: searchPath(process.env.PATH) },
  uid: process.getuid?.() ?? -1,
  venvs: join(import.meta.dirname, '..', '..', '.lab', 'venv'),
  lists: '/var/lib/apt/lists',
  systemd: '/run/systemd',
  say: (text) => process.stderr.write(`machine: ${text}\n`),
});

/** keepalived, ip and nginx live in sbin, which an ordinary user's PATH often lacks. */
export function searchPath(path = ''): string {
  const sbin = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
  return [...new Set([...path.split(delimiter).filter((part) => part !== ''), ...sbin])].join(delimiter);
}

export function has({ env }: Pick<Machine, 'env'>, program: string): boolean {
  return (env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
