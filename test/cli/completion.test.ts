// Completion in the shells that are supported: what is offered at each place of a command line.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run, withoutAws } from './front-door/command-line.ts';

let home: string;
let bash: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'vipshift-completion-'));
  writeFileSync(join(home, 'config'), '[default]\nregion = eu-central-1\n[profile ops]\n[sso-session x]\n');
  writeFileSync(join(home, 'credentials'), '[break-glass]\naws_access_key_id = x\n');
  bash = (await run(['completion', 'bash'])).stdout;
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The last word is the one that is being typed. A vipshift of its own says what it is asked. */
const complete = (...words: string[]): string => {
  const script = `${bash}
vipshift() {
  case "$*" in
    "completion-values vip "*|"completion-values vip") echo web; echo dns ;;
    "completion-values node web"*) echo i-0aaa; echo i-0bbb ;;
    "completion-values stage"*) echo dev; echo prod ;;
    "completion-values execution"*) echo change-4711 ;;
    "completion-values record"*) echo web; echo web/42 ;;
  esac
  printf '%s\\n' "$*" >> "$HOME/asked"
}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vipshift; echo "\${COMPREPLY[*]}"`;
  const env = {
    ...withoutAws(),
    HOME: home,
    AWS_CONFIG_FILE: join(home, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(home, 'credentials'),
  };
  return execFileSync('bash', ['-c', script, 'bash', 'vipshift', ...words], { encoding: 'utf8', env }).trim();
};

describe('for bash', () => {
  test.each<readonly [line: string, offered: string]>([
    ['vi', 'vip'],
    ['vip add --ad', '--address'],
    ['status w', 'web'],
    ['status ', 'web dns'],
    ['vip show --stage prod d', 'dns'],
    ['--stage prod vip show d', 'dns'],
    ['vip add w', ''],
    ['vip add x --hold m', 'master'],
    ['failover web --mode ', 'routes-only via-keepalived'],
    ['failover web ', '--to --reason'],
    ['failover web --to ', 'i-0aaa i-0bbb'],
    ['pin web dns w', 'web'],
    ['pin web --to i-0b', 'i-0bbb'],
    ['status --stage p', 'prod'],
    ['status --profile ', 'default ops break-glass'],
    ['timeline --outcome fa', 'failed'],
    ['timeline --kind ', 'failover order rejected'],
    ['explain web/', 'web/42'],
    ['approve web --execution ', 'change-4711'],
    ['pin web --reason ', ''],
    ['completion ', 'bash zsh'],
  ])('%s', (line, offered) => {
    const found = complete(...line.split(' '));
    if (offered.startsWith('--to')) expect(found).toMatch(/^--to --reason /);
    else expect(found).toBe(offered);
  });

  test('asks where the line says: stage, Region and profile go along', () => {
    writeFileSync(join(home, 'asked'), '');
    complete(...'status --region eu-west-1 --stage prod w'.split(' '));
    const asked = execFileSync('cat', [join(home, 'asked')], { encoding: 'utf8' });
    expect(asked).toBe('completion-values vip --region eu-west-1 --stage prod\n');
  });

  test('offers neither itself nor what is hidden', () => {
    expect(complete('completion-')).toBe('');
    expect(complete('comp')).toBe('completion');
  });
});

test('for zsh completes the same in an interactive zsh', async () => {
  const { stdout: SCRIPT } = await run(['completion', 'zsh']);
  const session = join(import.meta.dirname, 'completion.zsh');
  const env = { ...withoutAws(), SCRIPT, HOME: home };
  const ran = spawnSync('zsh', ['-f', session], { env, encoding: 'utf8', timeout: 60_000 });
  expect(ran.error, 'no zsh: apt-get install zsh').toBeUndefined();
  expect(ran.stdout.split('\n')).toEqual([
    'vip list',
    'vip show --stage prod dns',
    'status web',
    'vip add x --hold master',
    'timeline --outcome failed',
    'pin web --to i-0aaa',
    '',
  ]);
});
