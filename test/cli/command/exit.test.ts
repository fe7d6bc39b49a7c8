// The table of exit statuses: in the code, in the help and in the documentation the same.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { status, statuses } from '../../../cli/command/exit.ts';
import { run, withoutAws } from '../front-door/command-line.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'output.md'), 'utf8');

describe('the exit statuses', () => {
  test('are in the documentation as they are in the code', () => {
    const rows = [...page.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, says]) => [Number(code), says]);
    expect(rows).toEqual(statuses.map((one) => [one.status, one.says]));
  });

  test('are in the help', async () => {
    const { stdout } = await run(['--help']);
    const [, list = ''] = stdout.split('Exit status:\n');
    const said = list
      .replace(/\n {7}(?=\S)/g, ' ')
      .trimEnd()
      .split('\n');
    expect(said.map((line) => line.trim().replace(/ {2,}/, ' '))).toEqual(
      statuses.map((one) => `${one.status} ${one.says}`),
    );
  });

  test.each<readonly [keyof typeof status, readonly string[]]>([
    ['ok', ['--version']],
    ['usage', ['vip', 'add']],
    ['usage', ['status', '--every', '5']],
    ['usage', ['keepalived-config', '--node', 'a=10.0.0.1']],
    [
      'refused',
      [
        'keepalived-config',
        '--node',
        'a=10.0.0.1,b=10.0.0.2',
        '--address',
        '192.168.1.1',
        '--out',
        '/proc/x',
      ],
    ],
    ['aws', ['status', '--region', 'eu-central-1']],
  ])('%s: vipshift %j', async (name, args) => {
    const env = {
      ...withoutAws(),
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      // Nothing listens there.
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    };
    const ran = await run(args, env);
    expect(ran.status, ran.stderr).toBe(status[name]);
    if (name !== 'ok') expect(ran.stdout).toBe('');
  });

  test('interrupted: Ctrl-C', async () => {
    // It takes connections, and never answers.
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const env = {
        ...withoutAws(),
        AWS_ACCESS_KEY_ID: 'x',
        AWS_SECRET_ACCESS_KEY: 'x',
        AWS_ENDPOINT_URL: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
      };
      const signalAfter = (said: string) => said.includes('stage dev');
      const ran = await run(['status', '--region', 'eu-central-1'], env, { signalAfter });
      expect(ran.status).toBe(status.interrupted);
    } finally {
      silent.close();
    }
  });
});
