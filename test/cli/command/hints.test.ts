// What is suggested leads to the deployment that the command was about: at night it is pasted as it stands.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { everyCommand, pathOf } from '../../../cli/command/command.ts';
import { at, hint, placeOf } from '../../../cli/command/hint.ts';
import { program } from '../../../cli/program.ts';
import { run, withoutAws } from '../front-door/command-line.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const commands = everyCommand(program())
  .map(pathOf)
  .filter((path) => path !== '');

describe('a suggested command', () => {
  test.each([
    [
      'the options',
      { stage: 'prod', region: 'eu-west-1', profile: 'ops' },
      {},
      ' --stage prod --region eu-west-1 --profile ops',
    ],
    [
      'the environment',
      { stage: 'prod' },
      { AWS_REGION: 'eu-west-1', AWS_PROFILE: 'ops' },
      ' --stage prod --region eu-west-1 --profile ops',
    ],
    [
      'the options before the environment',
      { stage: 'a', region: 'r', profile: 'p' },
      { AWS_REGION: 'x', AWS_PROFILE: 'y' },
      ' --stage a --region r --profile p',
    ],
    [
      'AWS_REGION before AWS_DEFAULT_REGION',
      { stage: 'a' },
      { AWS_REGION: 'r', AWS_DEFAULT_REGION: 'x' },
      ' --stage a --region r',
    ],
    ['AWS_DEFAULT_REGION', { stage: 'a' }, { AWS_DEFAULT_REGION: 'x' }, ' --stage a --region x'],
    ['what is empty as what is absent', { stage: 'a' }, { AWS_REGION: '', AWS_PROFILE: '' }, ' --stage a'],
    ['the default stage where none is named', {}, {}, ' --stage dev'],
  ] as const)('carries %s', (_what, options, env, wanted) => {
    expect(at(placeOf(options, env), () => hint('unpin web'))).toBe(`vipshift unpin web${wanted}`);
  });

  test('is one of hint.ts, with the place in it, and not a text: everywhere but in helps, and where no request follows', () => {
    const said = /vipshift (?:%s)\b(?! (\w+ )?--help)/.source.replace('%s', commands.join('|'));
    const found = globSync('cli/**/*.ts', { cwd: root }).flatMap((file) => {
      const code = readFileSync(join(root, file), 'utf8')
        .replace(/^\s*(\/\/|\*|\/\*\*).*$/gm, '')
        .replace(/examples: \[[^\]]*\]/g, '')
        .replace(/(notes|more|about|help): `[^`]*`/g, '');
      return [...code.matchAll(new RegExp(said, 'g'))].map(([text]) => `${file}: ${text}`);
    });
    expect(
      found.filter((one) => !one.startsWith('cli/completion/') && !one.startsWith('cli/keepalived-config/')),
    ).toEqual([]);
  });

  test('of a refused command line has it, too', async () => {
    const place = ['--stage', 'prod', '--region', 'eu-west-1'];
    const ran = await run(['failover', 'web', '--follow', 'change-1', ...place]);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toContain('vipshift failover --follow NAME --stage prod --region eu-west-1');
  });
});

describe('the stage', () => {
  const unreachable = {
    ...withoutAws(),
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'y',
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    AWS_MAX_ATTEMPTS: '1',
  };

  test('is said where none is named, also with --json: a command for prod must not go to dev in silence', async () => {
    for (const args of [
      ['vip', 'list'],
      ['vip', 'list', '--json'],
    ]) {
      const ran = await run(args, unreachable);
      expect(ran.stderr).toMatch(/^stage dev: none is named \(--stage, VIPSHIFT_STAGE\)\n/);
      expect(ran.stdout).toBe('');
    }
  });

  test.each([
    ['--stage', ['--stage', 'dev'], {}],
    ['VIPSHIFT_STAGE', [], { VIPSHIFT_STAGE: 'dev' }],
  ])('is not said where %s names it', async (_how, more, env) => {
    const ran = await run(['vip', 'list', ...more], { ...unreachable, ...env });
    expect(ran.status).toBe(4);
    expect(ran.stderr).not.toContain('none is named');
  });
});
