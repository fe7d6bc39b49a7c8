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
    .description('whether the failovers of the record are what the controller wrote')
    .addCommand(verifyCommand());

const verifyCommand = () =>
  act<VerifyOptions>(
    withCommon(
      withPeriod(
        new Command('verify')
          .description('compare the digest of each failover with the one in its log line, both ways')
          .option('--log-file <file>', 'log lines that were exported, instead of CloudWatch Logs', list)
          .addHelpText(
            'after',
            `
Finds failovers that were edited or deleted in the table, as far back as the log is kept, and says
how far that is. Whoever can change table and log alike is not found out.
Operators' actions (pin, freeze, failover, approve, vip set …), rejections, intents and requests for
approval have no digest in the log: they are counted as not covered, and can be changed unseen.

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
