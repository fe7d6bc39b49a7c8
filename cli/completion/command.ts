// `vipshift completion`: its command line. script.ts makes the script.
import { defineOfflineCommand } from '../command/command.ts';
import { completionScript } from './script.ts';

export const completionCommand = () =>
  defineOfflineCommand({
    name: 'completion',
    about: 'print the completion script of your shell',
    args: [{ name: '<shell>', about: 'bash or zsh', choices: ['bash', 'zsh'] }],
    examples: [
      'vipshift completion bash > /etc/bash_completion.d/vipshift',
      `echo 'source <(vipshift completion zsh)' >> ~/.zshrc`,
    ],
    common: [],
    async run({ args, self }) {
      process.stdout.write(completionScript(self.parent!, args[0] as 'bash' | 'zsh'));
    },
  });
