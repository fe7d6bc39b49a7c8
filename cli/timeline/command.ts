// `vipshift timeline`, `explain` and `owner`: the command lines; run.ts, explain.ts and owner.ts do it.
import { epochMs } from '../../shared/time.ts';
import { outcomes } from '../../shared/timeline/timeline.ts';
import { defineCommand } from '../command/command.ts';
import { list, option, positive } from '../command/options.ts';
import type { OwnerOptions } from './owner.ts';
import { periodOptions, type Zone, zoneOption } from './period.ts';
import { kindNames, questionFrom, type TimelineOptions } from './question.ts';

export const timelineCommand = () =>
  defineCommand<TimelineOptions>({
    name: 'timeline',
    json: { is: 'lines', schema: 'timeline' },
    about: 'what happened: failovers, orders, and rejected claims',
    args: [{ name: '[vip]', about: 'of one VIP', is: 'vip' }],
    options: [
      ...periodOptions(),
      option(
        '--node <node>',
        'of one node, by id or name: failovers from it and to it, orders that name it, its rejections as a member',
        { is: 'node' },
      ),
      option('--outcome <outcome>', `one or several of ${outcomes.join(', ')}`, {
        parse: list,
        offers: outcomes,
      }),
      option('--kind <kind>', 'failover, order, rejected (default: all)', {
        parse: list,
        offers: Object.keys(kindNames),
      }),
      option('--limit <n>', 'at most so many, the newest first (default: 50; 1000 with --html)', {
        parse: positive(10_000),
      }),
      option('--html <file>', 'write one self-contained page: a chart, and each failover as a waterfall', {
        is: 'file',
      }),
    ],
    examples: [
      'vipshift timeline web --limit 5',
      'vipshift timeline --since 2h',
      'vipshift timeline --day 2026-11-22 --outcome failed,partial',
      'vipshift timeline --node i-0abc1234def567890 --json',
      'vipshift timeline --since 2026-11-01 --until 2026-12-01 --html november.html',
    ],
    more: `TOOK is from the controller’s first line to the last call that EC2 accepted, REPORT DELAY how old
the node’s report was by then, by the node’s clock. One line of the table in full: vipshift explain web/42`,
    async load({ args, options }) {
      questionFrom(args[0], options, epochMs(Date.now()));
      return (await import('./run.ts')).run;
    },
  });

export const explainCommand = () =>
  defineCommand<Zone>({
    name: 'explain',
    json: { is: 'document', schema: 'explain' },
    about: 'one line of the timeline in full: cause, decision, each table before and after, milliseconds',
    args: [
      {
        name: '<id>',
        about:
          'as the timeline names it: web/42, or web for its newest failover; web/probe/ID for a self-test',
        is: 'record',
      },
    ],
    options: [zoneOption()],
    examples: [
      'vipshift explain web/42',
      'vipshift explain web',
      'vipshift explain web/42 --json | jq .outcome.steps',
      'vipshift explain web/probe/3f2a9c1e-…',
    ],
    load: async () => (await import('./explain.ts')).explain,
  });

export const ownerCommand = () =>
  defineCommand<OwnerOptions>({
    name: 'owner',
    json: { is: 'document', schema: 'owner' },
    about: 'who owned a VIP at an instant, since when, why, and by whose order',
    args: [{ name: '<vip>', is: 'vip' }],
    options: [zoneOption(), option('--at <time>', 'now, 2h (ago), 2026-11-22T14:03:07Z', { default: 'now' })],
    examples: ['vipshift owner web', 'vipshift owner web --at 2026-11-22T14:03:07.500Z'],
    load: async () => (await import('./owner.ts')).owner,
  });
