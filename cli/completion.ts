// `vipshift completion`: completion for bash and zsh, made from the commands themselves, so that it never falls behind.
//
// Commands and options are in the script; names of VIPs are asked for when they are wanted, and stay away when AWS does
// not answer. zsh reads the same script by its bashcompinit.
import { Argument, Command } from 'commander';

export const completionCommand = () =>
  new Command('completion')
    .description('print the completion script of your shell')
    .addArgument(new Argument('<shell>', 'bash or zsh').choices(['bash', 'zsh']))
    .addHelpText(
      'after',
      `
Examples:
  $ vipshift completion bash > /etc/bash_completion.d/vipshift
  $ echo 'source <(vipshift completion zsh)' >> ~/.zshrc`,
    )
    .action((shell: string, _options, self: Command) => {
      process.stdout.write(completionScript(self.parent!, shell as 'bash' | 'zsh'));
    });

interface Place {
  /** The words of the command, such as ` vip add`. */
  readonly path: string;
  readonly words: readonly string[];
  /** Its arguments are names of VIPs. */
  readonly names: boolean;
}

/** Commands whose argument is the name of a VIP that there is; `vip add` makes a new one. */
const namesNothing = new Set([' vip add', ' vip adopt', ' apply', ' explain', ' completion']);

function places(command: Command, path: string): readonly Place[] {
  const options = command.options.flatMap((o) => (o.hidden ? [] : [o.long ?? o.short ?? '']));
  const choices = command.registeredArguments.flatMap((a) => a.argChoices ?? []);
  const subcommands = command.commands.map((c) => c.name());
  const own: Place = {
    path,
    words: [...subcommands, ...choices, ...options, '--help'],
    names: command.registeredArguments.length > 0 && !namesNothing.has(path),
  };
  return [own, ...command.commands.flatMap((c) => places(c, `${path} ${c.name()}`))];
}

export function completionScript(root: Command, shell: 'bash' | 'zsh'): string {
  const all = places(root, '');
  const paths = all.filter((p) => p.path !== '').map((p) => `"${p.path}"`);
  const cases = all.map((p) => {
    const names = p.names ? ' names=1' : '';
    return `    "${p.path}") words="${p.words.join(' ')}"${names} ;;`;
  });
  const zsh = [
    '#compdef vipshift',
    'autoload -U +X compinit && compinit',
    'autoload -U +X bashcompinit && bashcompinit',
  ];
  return `${[
    ...(shell === 'zsh' ? zsh : []),
    '# Made by: vipshift completion. Make it anew after an update.',
    '_vipshift() {',
    '  local cur="${COMP_WORDS[COMP_CWORD]}" path="" words="" names="" word i',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    word="${COMP_WORDS[i]}"',
    '    case "$path $word" in',
    `      ${paths.join('|')}) path="$path $word" ;;`,
    '    esac',
    '  done',
    '  case "$path" in',
    ...cases,
    '  esac',
    '  if [ -n "$names" ] && [ "${cur#-}" = "$cur" ]; then',
    '    words="$words $(vipshift vip list --names 2>/dev/null)"',
    '  fi',
    '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
    '}',
    'complete -F _vipshift vipshift',
  ].join('\n')}\n`;
}
