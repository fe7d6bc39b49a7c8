// `vipshift approve` and `vipshift deny`: the answer of a second person to a forced failover that waits for it. The
// command lines; approve.ts does the work.
import { defineCommand } from '../command/command.ts';
import { usage } from '../command/exit.ts';
import { option, reason } from '../command/options.ts';
import type { AnswerOptions } from './approve.ts';

const answering = () => ({
  args: [{ name: '[vip]', about: 'the VIP; needed only if several wait', is: 'vip' as const }],
  options: [
    option('--execution <name>', 'which one, if several wait for the same VIP', { is: 'execution' }),
    reason(),
    option('--list', 'only show what waits', { conflicts: ['execution', 'reason', 'dryRun'] }),
    option('--dry-run', 'show what would be answered; answer nothing'),
  ],
});

export const approveCommand = () =>
  defineCommand<AnswerOptions>({
    name: 'approve',
    json: { is: 'lines', schema: 'approve' },
    about: 'approve a forced failover that waits for approval',
    ...answering(),
    notes: 'The record says who approved: the identity that AWS knows you by.',
    examples: ['vipshift approve --list', `vipshift approve web --reason 'agreed in change 4711'`],
    async load() {
      const { answer } = await import('./approve.ts');
      return (run) => answer(run, true);
    },
  });

export const denyCommand = () =>
  defineCommand<AnswerOptions>({
    name: 'deny',
    json: { is: 'lines', schema: 'approve' },
    about: 'deny a forced failover that waits for approval; nothing is moved',
    ...answering(),
    examples: [
      `vipshift deny web --reason 'not during the sale'`,
      `vipshift deny web --execution change-4711 --reason 'wrong node'`,
    ],
    async load({ options }) {
      if (options.list !== true && options.reason === undefined)
        throw usage(
          'missing: --reason TEXT',
          'say why, for the operator who ordered it: vipshift deny --help',
        );
      const { answer } = await import('./approve.ts');
      return (run) => answer(run, false);
    },
  });
