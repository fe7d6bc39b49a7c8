// `vipshift audit verify`: the command line of it. audit-verify.ts does it.
import { Command } from 'commander';
import { epochMs } from '../../shared/time.ts';
import { defineCommand } from '../command/command.ts';
import { list, withCommon } from '../command/options.ts';
import { periodFrom, withPeriod } from '../timeline/period.ts';
import type { VerifyOptions } from './verify.ts';

export const auditCommand = () =>
  new Command('audit')
    .description('whether the failovers of the record are what the controller wrote')
    .addCommand(verifyCommand());

const verifyCommand = () =>
  defineCommand<VerifyOptions>(
    withCommon(
      withPeriod(
        new Command('verify')
          .description('compare the digest of each failover with the one in its log line, both ways')
          .option('--log-file <file>', 'log lines that were exported, instead of CloudWatch Logs', list)
          .addHelpText(
            'after',
            `
Finds failovers that were edited or deleted in the table, as far back as the log is kept, and says
how far that is. A person who can change both table and log is not found.
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
      return (await import('./verify.ts')).verify;
    },
  );
