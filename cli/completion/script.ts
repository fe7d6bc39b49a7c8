// Completion for bash and zsh, made from the commands themselves, so that it never falls behind.
//
// Commands and options are in the script; names of VIPs are asked for when they are needed, and are missing when AWS does
// not answer. zsh reads the same script by its bashcompinit.
// Limit: of an option's value only choices and files are known.
import type { Command, Option } from 'commander';
import { defined } from '../../shared/optional.ts';
import { argumentIs, commonOf } from '../command/command.ts';

interface Place {
  /** The words of the command, such as ` vip add`. */
  readonly place: string;
  readonly words: readonly string[];
  /** What its arguments are, where that can be completed. */
  readonly argument?: 'vip' | 'file';
  /** Options that take a value, and what it is. */
  readonly values: readonly { readonly flags: readonly string[]; readonly value: Value }[];
}

type Value = 'file' | readonly string[];

function places(command: Command, place: string): readonly Place[] {
  const options = [...new Set([...command.options.filter((o) => !o.hidden), ...commonOf(command)])];
  const choices = command.registeredArguments.flatMap((a) => a.argChoices ?? []);
  const subcommands = command.commands.map((c) => c.name());
  const [argument] = command.registeredArguments.map(argumentIs);
  const own: Place = {
    place,
    words: [...subcommands, ...choices, ...options.map((o) => o.long ?? o.short ?? ''), '--help'],
    ...defined({ argument }),
    values: options.filter((o) => o.required).map(valueFor),
  };
  return [own, ...command.commands.flatMap((c) => places(c, `${place} ${c.name()}`))];
}

const valueFor = (option: Option) => ({
  flags: [option.short, option.long].filter((flag) => flag !== undefined),
  value: option.flags.includes('<file>') ? ('file' as const) : (option.argChoices ?? []),
});

/** Named so that no variable is one of zsh's own: there `path` is PATH and `words` the command line. */
export function completionScript(root: Command, shell: 'bash' | 'zsh'): string {
  const all = places(root, '');
  const commands = all.filter((p) => p.place !== '').map((p) => `"${p.place}"`);
  const cases = all.map(
    (p) => `    "${p.place}") offer="${p.words.join(' ')}" kind="${p.argument ?? ''}" ;;`,
  );
  const values = all.flatMap((p) =>
    p.values.map(({ flags, value }) => {
      const patterns = flags.map((flag) => `"${p.place} ${flag}"`).join('|');
      const [offer, kind] = value === 'file' ? ['', 'file'] : [value.join(' '), ''];
      return `    ${patterns}) offer="${offer}" kind="${kind}" ;;`;
    }),
  );
  const zsh = [
    '(( $+functions[compdef] )) || { autoload -U +X compinit && compinit; }',
    'autoload -U +X bashcompinit && bashcompinit',
  ];
  return `${[
    ...(shell === 'zsh' ? zsh : []),
    '# Made by: vipshift completion. Make it again after an update.',
    '_vipshift() {',
    '  local typed="${COMP_WORDS[COMP_CWORD]}" place="" offer="" kind="" word i',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    word="${COMP_WORDS[i]}"',
    '    case "$place $word" in',
    `      ${commands.join('|')}) place="$place $word" ;;`,
    '    esac',
    '  done',
    '  case "$place" in',
    ...cases,
    '  esac',
    '  case "$place ${COMP_WORDS[COMP_CWORD-1]}" in',
    ...values,
    '  esac',
    '  COMPREPLY=()',
    '  if [ "${typed#-}" = "$typed" ]; then',
    '    if [ "$kind" = vip ]; then offer="$offer $(vipshift vip list --names 2>/dev/null)"; fi',
    '    if [ "$kind" = file ]; then COMPREPLY=($(compgen -f -- "$typed")); fi',
    '  fi',
    '  COMPREPLY+=($(compgen -W "$offer" -- "$typed"))',
    '}',
    'complete -F _vipshift vipshift',
  ].join('\n')}\n`;
}
