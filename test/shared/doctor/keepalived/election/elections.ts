// What keepalived itself does with two files: `keepalived -t`, and who is master in the end (inside.ts).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownNamespaces } from '../../../../../lab/machine/namespaces.ts';
import type { Answer, Question } from './inside.ts';

/** In a sandbox of namespaces that ends with this process, whatever ends it. */
export async function answersOf(
  questions: readonly Question[],
  width: number,
): Promise<ReadonlyMap<string, Answer>> {
  const root = mkdtempSync(join(tmpdir(), 'vipshift-elections-'));
  const inside = new URL('./inside.ts', import.meta.url).pathname;
  const prepare = 'mount -t tmpfs tmpfs /run && mkdir /run/netns && ip link set lo up && exec "$@"';
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'unshare', ...ownNamespaces(), '--mount-proc', '--kill-child'],
      ...['bash', '-c', prepare, 'sandbox', process.execPath, inside, root],
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const end = () => child.kill('SIGKILL');
  process.on('exit', end);
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text));
  child.stdin.end(JSON.stringify({ questions, width }));
  const [status] = (await once(child, 'close')) as [number | null];
  process.off('exit', end);
  rmSync(root, { recursive: true, force: true });
  if (status !== 0) throw new Error(`the elections ended with status ${status}:\n${err.join('')}`);
  const answers = out
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
  return new Map(answers.map((answer) => [answer.id, answer]));
}
