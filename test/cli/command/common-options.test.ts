// What defineCommand gives every command: the common options on either side of its name, and former spellings.
import { describe, expect, test } from 'vitest';
import { defineGroup, defineOfflineCommand, defineProgram } from '../../../cli/command/command.ts';
import type { CommonName, CommonOptions } from '../../../cli/command/options.ts';
import { commonNames, list, option } from '../../../cli/command/options.ts';
import { run } from '../front-door/command-line.ts';

type Options = CommonOptions & { readonly node?: readonly string[]; readonly reason?: string };

/** What a small program makes of a command line: the options that reach the command. */
async function optionsOf(line: readonly string[], common: readonly CommonName[] = commonNames) {
  let found: Options | undefined;
  const words = { name: 'show', formerly: ['display'], about: 'shows it', examples: ['small show'] };
  const show = () =>
    defineOfflineCommand<Options>({
      ...words,
      args: [{ name: '[vip]' }],
      options: [option('-n, --node <name>', 'a node', { parse: list }), option('--reason <text>', 'why')],
      formerOptions: { '--host': '--node' },
      common,
      run: async ({ options }) => {
        found = options;
      },
    });
  const root = defineProgram({ name: 'small', about: 'small', version: '1', help: '' }, [
    defineGroup({ name: 'vip', about: 'VIPs' }, [show()]),
    show(),
  ]);
  let help = '';
  for (const one of [root, ...root.commands]) one.configureOutput({ writeErr: (text) => (help += text) });
  await root.parseAsync([...line], { from: 'user' });
  return found;
}

describe('a common option', () => {
  const given = ['--stage', 'prod', '--region', 'eu-west-1', '--profile', 'night', '--json', '--no-color'];
  const read = { stage: 'prod', region: 'eu-west-1', profile: 'night', json: true, color: false };
  test.each([
    ['before the command', [...given, 'vip', 'show', 'web', '--reason', 'x']],
    ['between the words of the command', ['vip', ...given, 'show', 'web', '--reason', 'x']],
    ['behind the command', ['vip', 'show', ...given, 'web', '--reason', 'x']],
    ['at the end', ['vip', 'show', 'web', '--reason', 'x', ...given]],
    ['on both sides', [...given.slice(0, 4), 'show', '--reason', 'x', ...given.slice(4)]],
  ])('%s means the same', async (_where, line) => {
    expect(await optionsOf(line)).toMatchObject({ ...read, reason: 'x' });
  });

  test.each([[['--stage', 'prod', 'show']], [['show', '--stage', 'prod']]])(
    'that means nothing to a command is refused: %j',
    async (line) => {
      await expect(optionsOf(line, ['json'])).rejects.toThrow("unknown option '--stage'");
      expect(await optionsOf(['--json', 'show'], ['json'])).toMatchObject({ json: true });
    },
  );

  test.each([
    [['--stage', '../..', 'status'], /option '--stage <name>' argument '\.\.\/\.\.' is invalid/],
    [['status', '--stage', '../..'], /option '--stage <name>' argument '\.\.\/\.\.' is invalid/],
    [['--stage', 'prod', 'completion', 'bash'], /unknown option '--stage'/],
    [['keepalived-config', '--profile', 'night'], /unknown option '--profile'/],
    [['--json', 'vip', 'list', '--stag', 'x'], /Did you mean --stage\?/],
  ])('%j is said by the command itself with status 2', async (line, says) => {
    const ran = await run(line);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toMatch(says);
  });
});

describe('a former spelling', () => {
  test('of an option does what the option does, and adds to it where that may be repeated', async () => {
    expect(await optionsOf(['show', '--host', 'a', '--node', 'b,c', '-n', 'd'])).toMatchObject({
      node: ['a', 'b', 'c', 'd'],
    });
  });
  test('of a command is understood, and is in no help', async () => {
    expect(await optionsOf(['display', '--stage', 'prod'])).toMatchObject({ stage: 'prod' });
    const thaw = await run(['thaw', '--help']);
    expect(thaw).toMatchObject({ status: 0, stderr: '' });
    expect(thaw.stdout).toMatch(/^Usage: vipshift unfreeze \[options\]/);
    for (const line of [['--help'], ['thaw', '--help'], ['keepalived-config', '--help']])
      expect((await run(line)).stdout).not.toMatch(/thaw|--lever\b|--track-file/);
  });
});
