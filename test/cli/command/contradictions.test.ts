// Command lines that contradict themselves: refused with status 2 before AWS is asked for anything, in whatever order the
// options stand. The pairs are read from the commands themselves, so one that is added cannot be forgotten here.
import type { Command, Option } from 'commander';
import { describe, expect, test } from 'vitest';
import { everyCommand } from '../../../cli/command/command.ts';
import { companionOf, negatedPairs } from '../../../cli/command/contradictions.ts';
import { isRequired } from '../../../cli/command/options.ts';
import { program } from '../../../cli/program.ts';
import { run } from '../front-door/command-line.ts';

const leaves = everyCommand(program()).filter((c) => c.commands.length === 0 && c.name() !== 'help');

function pathOf(command: Command): readonly string[] {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent != null; at = at.parent) names.unshift(at.name());
  return names;
}

/** commander's types leave it out. */
const excludedBy = (option: Option): readonly string[] =>
  (option as Option & { readonly conflictsWith: readonly string[] }).conflictsWith;

/** A word that the option takes for its value. */
const values: Readonly<Record<string, string>> = {
  to: 'i-0abc1234def567890',
  every: '2',
  count: '2',
  claimWait: '30',
};
const said = (option: Option): readonly string[] =>
  option.required
    ? [option.long!, values[option.attributeName()] ?? option.argChoices?.[0] ?? 'x']
    : [option.long!];

/** Arguments and options without which the command would be refused for another reason. */
const least = (command: Command): readonly string[] => [
  ...command.registeredArguments.filter((a) => a.required).map(() => 'web'),
  ...command.options.filter((o) => isRequired(o)).flatMap(said),
];

interface Contradiction {
  readonly command: Command;
  readonly first: Option;
  readonly second?: Option;
}

const excluding: readonly Contradiction[] = leaves.flatMap((command) => [
  ...negatedPairs(command).map(([first, second]) => ({ command, first, second })),
  ...command.options.flatMap((first) =>
    excludedBy(first).map((name) => ({
      command,
      first,
      second: command.options.find((o) => o.attributeName() === name)!,
    })),
  ),
]);
const alone: readonly Contradiction[] = leaves.flatMap((command) =>
  command.options.filter((o) => companionOf(o) !== undefined).map((first) => ({ command, first })),
);

const nameOf = ({ command, first, second }: Contradiction): string =>
  [...pathOf(command), first.long, second?.long].filter((word) => word !== undefined).join(' ');

test('these are the pairs that exclude each other, and the options that need another one', () => {
  expect(excluding.map(nameOf).sort()).toEqual(
    [
      'vip set --eip --no-eip',
      ...['add', 'set', 'adopt'].map((name) => `vip ${name} --pool --address`),
      ...['vip set', 'vip adopt', 'unpin', 'unfreeze', 'drain', 'undrain', 'apply'].map(
        (name) => `${name} --dry-run --yes`,
      ),
      'drain --dry-run --detach',
      ...['approve', 'deny'].flatMap((name) =>
        ['execution', 'reason', 'dry-run'].map((other) => `${name} --list --${other}`),
      ),
      'failover --detach --dry-run',
      ...['mode', 'approval', 'name', 'claim-wait', 'release', 'detach'].map(
        (name) => `failover --break-glass --${name}`,
      ),
      ...[
        'mode',
        'approval',
        'name',
        'claim-wait',
        'release',
        'detach',
        'break-glass',
        'dry-run',
        'follow',
      ].map((name) => `failover --print-commands --${name}`),
      'failover --manifest --address',
    ].sort(),
  );
  expect(alone.map(nameOf).sort()).toEqual([
    'apply --force',
    'doctor --notify-conf',
    ...['address', 'eip', 'manifest'].map((name) => `failover --${name}`),
    'keepalived-config --overwrite',
    'keepalived-config --script-user',
    'status --count',
    'status --every',
  ]);
});

describe.each(excluding.map((pair) => [nameOf(pair), pair] as const))('%s', (_name, pair) => {
  const { command, first, second } = pair;
  test.each([
    ['in this order', [first, second!]],
    ['the other way round', [second!, first]],
  ])('is refused %s', async (_order, options) => {
    const ran = await run([...pathOf(command), ...least(command), ...options.flatMap(said)]);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toMatch(/^vipshift: option '.*' cannot be used with option '.*'\n {2}next: vipshift /);
    for (const option of options) expect(ran.stderr).toContain(option.long!);
  });
});

describe.each(alone.map((pair) => [nameOf(pair), pair] as const))('%s alone', (_name, { command, first }) => {
  test('is refused: it would do nothing', async () => {
    const ran = await run([...pathOf(command), ...least(command), ...said(first)]);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toMatch(
      /^vipshift: option '.*' does nothing without option '(-w, )?--.*'\n {2}next: /,
    );
  });
});

const failover = ['failover', 'web', '--to', 'i-0abc1234def567890', '--reason', 'x'];
describe('options that contradict each other by their values', () => {
  test.each([
    [['failover', '--follow', 'x', '--for', '2h'], /--follow cannot be combined with/],
    [['failover', '--follow', 'x', '--break-glass'], /--follow cannot be combined with/],
    [[...failover, '--mode', 'routes-only', '--claim-wait', '9'], /--claim-wait cannot be used with --mode/],
    [[...failover, '--mode', 'routes-only', '--release', 'now'], /--release cannot be used with --mode/],
    [['timeline', '--kind', 'order', '--outcome', 'failed'], /only failovers have an outcome/],
    [['timeline', '--day', '2026-11-22', '--since', '2h'], /--day cannot be combined with/],
    [['audit', 'verify', '--day', '2026-11-22', '--until', '2h'], /--day cannot be combined with/],
    [['audit', 'verify', '--since', '2026-11-22', '--until', '2026-11-21'], /--since is not before --until/],
    [['pin', 'web', '--all', '--to', 'i-0abc1234def567890', '--reason', 'x'], /no VIPs, or VIPs and --all/],
    [['unpin'], /no VIPs, or VIPs and --all/],
    [['freeze', 'web', '--all', '--reason', 'x'], /no VIPs, or VIPs and --all/],
    [['unfreeze', 'web', '--all'], /no VIPs, or VIPs and --all/],
  ])('%j is refused', async (args, says) => {
    const ran = await run(args);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toMatch(says);
  });
});

test('what describes the order may be given with --dry-run: it is the command to come, rehearsed', async () => {
  const ran = await run([...failover, '--approval', '--for', '2h', '--dry-run']);
  expect(ran.stderr).not.toMatch(/cannot be used/);
});

test('the list of statuses has the one of a fault in vipshift itself', async () => {
  expect((await run(['--help'])).stdout).toMatch(/^ {2}70 {3}a fault in vipshift itself/m);
});
