// `vipshift audit verify`: the command line of it. audit-verify.ts does it.
import { Command } from 'commander';
import { defineCommand } from '../command/command.ts';
import { list, withCommon } from '../command/options.ts';
import { withPeriod } from '../timeline/period.ts';
import type { VerifyOptions } from './verify.ts';

export const auditCommand = () =>
  new Command('audit')
    .description('whether the record is what the controller wrote')
    .addCommand(verifyCommand());

const verifyCommand = () =>
  defineCommand<VerifyOptions>(
    withCommon(
      withPeriod(
        new Command('verify')
          .description('compare each record’s digest with the one in its log line, both ways')
          .option('--log-file <file>', 'log lines that were exported, instead of CloudWatch Logs', list)
          .addHelpText(
            'after',
            `
Finds what was edited or deleted in the table, as far back as the log is kept, and says how far
that is. A person who can change both table and log is not found.

Examples:
  $ vipshift audit verify --since 7d
  $ vipshift audit verify --day 2026-11-22 --log-file exported.jsonl`,
          ),
      ),
    ),
    async () => (await import('./verify.ts')).verify,
  );
