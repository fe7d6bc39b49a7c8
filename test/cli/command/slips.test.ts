// Slips of a command line, and of the machine around it: each is told with what to do, with the status of the table, and nothing hangs.

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run, withoutAws } from '../front-door/command-line.ts';

const cli = join(import.meta.dirname, '..', '..', '..', 'cli', 'vipshift.ts');
/** AWS is asked for nothing: a request would be refused, with status 4. */
const env = {
  ...withoutAws(),
  ...{ AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y', AWS_REGION: 'eu-west-1', VIPSHIFT_STAGE: 'dev' },
  ...{ AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_MAX_ATTEMPTS: '1' },
};
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-slips-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = (...more: readonly string[]) => [
  ...['keepalived-config', '--node', 'a=10.0.1.10', '--node', 'b=10.0.2.10'],
  ...['--address', '192.168.255.10', '--instance', 'VI_WEB', ...more],
];

test.each<[string, readonly string[], RegExp]>([
  ['an id that is empty', ['explain', ''], /"": not an id\n {2}next: expected web or web\/42/],
  ['an id without a VIP', ['explain', '/42'], /"\/42": not an id/],
  ['a time in the future', ['timeline', '--since', '2099-01-01'], /--since 2099-01-01 is in the future/],
  ['a page for stdout', ['timeline', '--html', '-'], /--html -: the page goes to a file/],
  ['all that is missing, at once', ['pin', 'web'], /missing: --to <node>, --reason <text>\n/],
  ['a reason that is missing', ['freeze', 'web'], /missing: --reason <text>\n/],
  [
    'one node',
    config()
      .filter((arg) => arg !== 'b=10.0.2.10')
      .toSpliced(3, 1),
    /1 node, expected at least 2/,
  ],
  ['a router id that is not a number', config('--router-id', 'abc'), /router id is not a number, expected/],
])('%s is told before anything is asked for', async (_what, args, says) => {
  const ran = await run(args, env);
  expect(ran).toMatchObject({ status: 2, stdout: '' });
  expect(ran.stderr).toMatch(says);
  expect(ran.stderr).toMatch(/\n {2}next: /);
});

test('an endpoint that is no URL is named by its variable', async () => {
  for (const name of ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_DYNAMODB']) {
    const ran = await run(['status'], { ...env, [name]: 'nonsense' });
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toMatch(new RegExp(`^vipshift: ${name}=nonsense is no URL\n {2}next: `));
  }
});

describe('keepalived-config --out', () => {
  test('ends where no folder can be made', async () => {
    const ran = await run(config('--out', '/proc/nope/deeper'));
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toMatch(/cannot write into \/proc\/nope\/deeper: .*\n {2}next: give another folder/);
  });

  test('makes the folder, leaves what someone has edited, and writes over it when told to', async () => {
    const out = join(folder, 'new', 'one');
    expect((await run(config('--out', out))).status).toBe(0);
    expect((await run(config('--out', out))).status, 'the same again').toBe(0);
    const file = join(out, 'a.conf');
    const made = readFileSync(file, 'utf8');
    writeFileSync(file, '# mine');
    const refused = await run(config('--out', out, '--advert', '0.2'));
    expect(refused).toMatchObject({ status: 3, stdout: '' });
    expect(refused.stderr).toContain(`${file}, `);
    expect(readFileSync(file, 'utf8')).toBe('# mine');
    expect((await run(config('--out', out, '--overwrite'))).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(made);
  });
});

test('an answer that cannot be written ends with one line and status 1, not with a stack', () => {
  const full = openSync('/dev/full', 'w');
  const ran = spawnSync(process.execPath, [cli, '--help'], {
    env,
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(full);
  expect(ran.status).toBe(1);
  expect(ran.stderr).toMatch(/^vipshift: the answer could not be written: .*ENOSPC.*\n {2}next: .*\n$/);
});
