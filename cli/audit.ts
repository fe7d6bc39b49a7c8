// `vipshift audit verify`: the command line of it. audit-verify.ts does it.
import { Command } from 'commander';
import { epochMs } from '../shared/time.ts';
import { act } from './act.ts';
import { list, withCommon } from './options.ts';
import { type PeriodOptions, periodFrom, withPeriod } from './timeline.ts';

export interface VerifyOptions extends PeriodOptions {
  readonly logFile?: readonly string[];
}

export const auditCommand = () =>
  new Command('audit')
    .description('whether the record is what the controller wrote')
    .addCommand(verifyCommand());

const verifyCommand = () =>
  act<VerifyOptions>(
    withCommon(
      withPeriod(
        new Command('verify')
          .description('compare each record’s digest with the one in its log line, both ways')
          .option('--log-file <file>', 'log lines that were exported, instead of CloudWatch Logs', list)
          .addHelpText(
            'after',
            `
Finds what was edited or deleted in the table, as far back as the log is kept, and says how far
that is. Whoever can change table and log alike is not found out.

Examples:
  $ vipshift audit verify --since 7d
  $ vipshift audit verify --day 2026-11-22 --log-file exported.jsonl`,
          ),
      ),
    ),
    async ({ options }) => {
      periodFrom(options, epochMs(Date.now()), false);
      return (await import('./audit-verify.ts')).verify;
    },
  );
