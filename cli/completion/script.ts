// Completion for bash and zsh, made from the commands themselves, so that it never falls behind.
//
// Commands, options and words are in the script; names of VIPs, nodes, stages, executions and records are asked for when they
// are needed (values.ts), with the stage, Region and profile that stand on the line, and are missing when AWS does not answer.
// zsh reads the same script by its bashcompinit.
// Limit: of a list that is separated by commas only the first value is completed.
import type { Argument, Command, Option } from 'commander';
import { argumentIs, commonOf, isHidden } from '../command/command.ts';
import { offeredFor, optionIs, type ValueKind } from '../command/options.ts';

interface Place {
  /** The words of the command, such as ` vip add`. */
  readonly place: string;
  readonly subcommands: readonly string[];
  readonly options: readonly string[];
  readonly args: readonly Value[];
  /** Options that take a value, and what it is. */
  readonly values: readonly (Value & { readonly flags: readonly string[] })[];
}

interface Value {
  readonly words: readonly string[];
  readonly kind: ValueKind | undefined;
  /** Any number of them. */
  readonly isVariadic?: boolean;
}

function places(command: Command, place: string): readonly Place[] {
  const shown = command.commands.filter((c) => !isHidden(c));
  const options = [...new Set([...command.options.filter((o) => !o.hidden), ...commonOf(command)])];
  const own: Place = {
    place,
    subcommands: shown.map((c) => c.name()),
    options: [...options.map((o) => o.long ?? o.short ?? ''), '--help'],
    args: command.registeredArguments.map(argumentFor),
    values: options.filter((o) => o.required).map(valueFor),
  };
  return [own, ...shown.flatMap((c) => places(c, `${place} ${c.name()}`))];
}

const argumentFor = (argument: Argument): Value => ({
  words: argument.argChoices ?? [],
  kind: argumentIs(argument),
  isVariadic: argument.variadic,
});

const valueFor = (option: Option) => ({
  flags: [option.short, option.long].filter((flag) => flag !== undefined),
  words: offeredFor(option),
  kind: optionIs(option),
});

const offered = ({ words, kind }: Value): string => `offer="${words.join(' ')}" kind="${kind ?? ''}"`;

/** Named so that no variable is one of zsh's own: there `path` is PATH and `words` the command line. */
export function completionScript(root: Command, shell: 'bash' | 'zsh'): string {
  const all = places(root, '');
  const commands = all.filter((p) => p.place !== '').map((p) => `"${p.place}"`);
  const taking = all.flatMap((p) =>
    p.values.flatMap(({ flags }) => flags.map((flag) => `"${p.place} ${flag}"`)),
  );
  const cases = all.map(
    (p) => `    "${p.place}") offer="${p.subcommands.join(' ')}" options="${p.options.join(' ')}" ;;`,
  );
  const values = all.flatMap((p) =>
    p.values.map((value) => {
      const patterns = value.flags.map((flag) => `"${p.place} ${flag}"`).join('|');
      return `    ${patterns}) ${offered(value)} ;;`;
    }),
  );
  const args = all.flatMap((p) =>
    p.args.map((arg, n) => {
      const nth = arg.isVariadic === true ? `"${p.place} "[0-9]*` : `"${p.place} ${n}"`;
      return `    ${nth}) ${offered(arg)} ;;`;
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
    '  local typed="${COMP_WORDS[COMP_CWORD]}" place="" awaited="" vip="" offer="" options="" kind="" word i',
    '  local given=0',
    '  local -a elsewhere',
    '  elsewhere=()',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    word="${COMP_WORDS[i]}"',
    '    if [ -n "$awaited" ]; then',
    '      [ "$word" = "=" ] && continue',
    '      case "$awaited" in --stage|--region|--profile) elsewhere+=("$awaited" "$word") ;; esac',
    '      awaited=""',
    '      continue',
    '    fi',
    '    case "$place $word" in',
    `      ${taking.join('|')}) awaited="$word"; continue ;;`,
    `      ${commands.join('|')}) place="$place $word"; continue ;;`,
    '    esac',
    '    case "$word" in',
    '      -*) ;;',
    '      *) given=$((given + 1)); [ -n "$vip" ] || vip="$word" ;;',
    '    esac',
    '  done',
    '  if [ -n "$awaited" ]; then',
    '    [ "$typed" = "=" ] && typed=""',
    '    case "$place $awaited" in',
    ...values.map((line) => `  ${line}`),
    '    esac',
    '  else',
    '    case "$place" in',
    ...cases.map((line) => `  ${line}`),
    '    esac',
    '    case "$place $given" in',
    ...args.map((line) => `  ${line}`),
    '    esac',
    '  fi',
    '  COMPREPLY=()',
    '  if [ "${typed#-}" != "$typed" ]; then',
    '    offer="$options"',
    '  else',
    '    case "$kind" in',
    '      vip|node|stage|execution|record)',
    '        offer="$offer $(vipshift completion-values "$kind" $vip "${elsewhere[@]}" 2>/dev/null)" ;;',
    '      profile)',
    "        offer=\"$(sed -n 's/^\\[\\(profile \\)\\{0,1\\}\\([^] ]*\\)\\]$/\\2/p' \\",
    '          "${AWS_CONFIG_FILE:-$HOME/.aws/config}" \\',
    '          "${AWS_SHARED_CREDENTIALS_FILE:-$HOME/.aws/credentials}" 2>/dev/null)" ;;',
    '      file) COMPREPLY=($(compgen -f -- "$typed")) ;;',
    '      folder) COMPREPLY=($(compgen -d -- "$typed")) ;;',
    '    esac',
    '    if [ -z "$typed$offer$kind" ]; then offer="$options"; fi',
    '  fi',
    '  COMPREPLY+=($(compgen -W "$offer" -- "$typed"))',
    '}',
    'complete -F _vipshift vipshift',
  ].join('\n')}\n`;
}
