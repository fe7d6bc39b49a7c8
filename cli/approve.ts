// `vipshift approve` and `vipshift deny`: the answer of a second person to a forced failover that waits for it. The
// command lines; approval-answer.ts does it.
import { Command, Option } from 'commander';
import { act } from './act.ts';
import { usage } from './exit.ts';
import { withCommon } from './options.ts';

export interface AnswerOptions {
  readonly execution?: string;
  readonly reason?: string;
  readonly list?: boolean;
}

const answering = (command: Command): Command =>
  command
    .argument('[vip]', 'the VIP that it is about; needed only where several wait')
    .option('--execution <name>', 'this one, where several wait for the same VIP')
    .option('--reason <text>', 'why, for the record')
    .addOption(new Option('--list', 'only show what waits').conflicts(['execution', 'reason']));

export const approveCommand = () =>
  act<AnswerOptions>(
    withCommon(
      answering(new Command('approve'))
        .description('approve a forced failover that waits for it')
        .addHelpText(
          'after',
          `
The record says who approved: the identity that AWS knows you by.

Examples:
  $ vipshift approve --list
  $ vipshift approve web --reason 'agreed in change 4711'`,
        ),
    ),
    async () => {
      const { answer } = await import('./approval-answer.ts');
      return (run) => answer(run, true);
    },
  );

export const denyCommand = () =>
  act<AnswerOptions>(
    withCommon(
      answering(new Command('deny'))
        .description('deny a forced failover that waits for approval; nothing is moved')
        .addHelpText(
          'after',
          `
Examples:
  $ vipshift deny web --reason 'not during the sale'
  $ vipshift deny web --execution change-4711 --reason 'wrong node'`,
        ),
    ),
    async ({ options }) => {
      if (options.list !== true && (options.reason ?? '').trim() === '')
        throw usage('missing: --reason TEXT', 'say why, for whoever ordered it: vipshift deny --help');
      const { answer } = await import('./approval-answer.ts');
      return (run) => answer(run, false);
    },
  );
