// `vipshift audit verify`: its command line. verify.ts does the work.
import { epochMs } from '../../shared/time.ts';
import { defineCommand, defineGroup } from '../command/command.ts';
import { list, option } from '../command/options.ts';
import { periodFrom, periodOptions } from '../timeline/period.ts';
import type { VerifyOptions } from './verify.ts';

export const auditCommand = () =>
  defineGroup({ name: 'audit', about: 'whether the failovers of the record are what the controller wrote' }, [
    verifyCommand(),
  ]);

const verifyCommand = () =>
  defineCommand<VerifyOptions>({
    name: 'verify',
    json: { is: 'lines', schema: 'audit-verify' },
    about: 'compare the digest of each failover with the one in its log line, both ways',
    options: [
      ...periodOptions(),
      option('--log-file <file>', 'log lines that were exported, instead of CloudWatch Logs', {
        parse: list,
        is: 'file',
      }),
    ],
    notes: `Finds failovers that were edited or deleted in the table, as far back as the log is kept, and says
how far that is. A person who can change both table and log is not found.
The workflow's own entries (failover, approve, deny, requests for approval) are compared as well;
one without a line was put there by someone else, unless it is older than the log's first one.
What the command line records itself (pin, freeze, vip set …), rejections and intents
have no digest in the log: they are counted as not covered, and can be changed unseen.`,
    examples: [
      'vipshift audit verify --since 7d',
      'vipshift audit verify --day 2026-11-22 --log-file exported.jsonl',
    ],
    async load({ options }) {
      periodFrom(options, epochMs(Date.now()), false);
      return (await import('./verify.ts')).verify;
    },
  });
