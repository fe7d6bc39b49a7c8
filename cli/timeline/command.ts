// `vipshift timeline`: what happened, newest last, as people read.

import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { momentText } from '../../shared/instants.ts';
import { defined } from '../../shared/optional.ts';
import { type EpochMs, epochMs } from '../../shared/time.ts';
import type { Answer, AuditRecord, Question } from '../../shared/timeline/query.ts';
import { type Outcome, outcomes } from '../../shared/timeline/timeline.ts';
import { type CommandContext, defineCommand } from '../command/command.ts';
import { refused, usage } from '../command/exit.ts';
import { list, positive, withCommon } from '../command/options.ts';
import type { Output } from '../command/output.ts';
import { registeredNames, unknown } from '../command/registered-vip.ts';
import type { Session } from '../command/session.ts';
import { FAILOVERS_MAX, pageText } from './html-page.ts';
import { type PeriodOptions, periodFrom, withPeriod } from './period.ts';
import { rowOf, timelineHead } from './rows.ts';

interface TimelineOptions extends PeriodOptions {
  readonly node?: string;
  readonly outcome?: readonly string[];
  readonly kind?: readonly string[];
  readonly limit?: number;
  readonly html?: string;
}

export const timelineCommand = () =>
  defineCommand<TimelineOptions>(
    withCommon(
      withPeriod(
        new Command('timeline')
          .description('what happened: failovers, orders, and claims that were turned away')
          .argument('[vip]', 'of one VIP')
          .option(
            '--node <id>',
            'of one node: failovers from it and to it, orders and rejections that name it',
          )
          .addOption(
            new Option('--outcome <outcome>', `one or several of ${outcomes.join(', ')}`).argParser(list),
          )
          .addOption(new Option('--kind <kind>', 'failover, order, rejected (default: all)').argParser(list))
          .option('--limit <n>', 'the newest so many (default: 50; 1000 with --html)', positive(10_000))
          .option('--html <file>', 'write one self-contained page: a chart, and each failover as a waterfall')
          .addHelpText(
            'after',
            `
Examples:
  $ vipshift timeline web --limit 5
  $ vipshift timeline --since 2h
  $ vipshift timeline --day 2026-11-22 --outcome failed,partial
  $ vipshift timeline --node i-0abc1234def567890 --json
  $ vipshift timeline --since 2026-11-01 --until 2026-12-01 --html november.html
TOOK is from the controller’s first line to the last call that EC2 accepted, AGE how old the node’s
word was by then, by the node’s clock. One line of the table in full: vipshift explain web/42`,
          ),
      ),
    ),
    async ({ args, options }) => {
      // Refused before anything is loaded.
      questionFrom(args[0], options, epochMs(Date.now()));
      return run;
    },
  );

async function run({ args, options, out, session }: CommandContext<TimelineOptions>): Promise<void> {
  const question = questionFrom(args[0], options, session.now());
  const answer = await session.log.find(question);
  if (answer.readBackToMs !== undefined) {
    out.note(
      `the reading stopped at ${momentText(answer.readBackToMs, options.tz)}; ask for less: --since, --until, --limit`,
    );
  }
  if (options.html !== undefined) {
    const page = { question, answer, zone: options.tz, madeAtMs: session.now() };
    const { file, failovers } = await writePage(options.html, page);
    return out.json ? out.document({ file, failovers }) : out.line(`${file}: ${failovers} failovers`);
  }
  const records = [...answer.records].reverse();
  if (out.json) return out.documents(records);
  if (records.length === 0) return nothing(session, out, question, options.tz);
  out.table(
    timelineHead,
    records.map((record) => rowOf(record, options.tz)),
  );
}

/** A name that was never registered is most likely a typing error; the record of a removed VIP stays. */
async function nothing(session: Session, out: Output, question: Question, zone: string): Promise<void> {
  const { vip, sinceMs, untilMs } = question;
  if (vip !== undefined && (await session.ports.vips.read(vip)) === undefined)
    throw unknown(vip, await registeredNames(session));
  const until = momentText(epochMs(Math.min(untilMs, session.now())), zone);
  const when = sinceMs === 0 ? `up to ${until}` : `from ${momentText(sinceMs, zone)} to ${until}`;
  out.note(`nothing recorded ${when}`);
}

interface AnsweredQuestion {
  readonly question: Question;
  readonly answer: Answer;
  readonly zone: string;
  readonly madeAtMs: EpochMs;
}

async function writePage(
  file: string,
  { question, answer, zone, madeAtMs }: AnsweredQuestion,
): Promise<{ file: string; failovers: number }> {
  const { records } = answer;
  const oldest = records.at(-1)?.atMs ?? question.sinceMs;
  const page = {
    title: `vipshift: ${question.vip ?? 'all VIPs'}`,
    zone,
    madeAtMs,
    records,
    sinceMs: question.sinceMs === 0 ? oldest : question.sinceMs,
    // Without --until a question reaches a little ahead.
    untilMs: epochMs(Math.min(question.untilMs, madeAtMs)),
    ...defined({ readBackToMs: answer.readBackToMs }),
  };
  try {
    await writeFile(file, pageText(page));
  } catch (error) {
    throw refused((error as Error).message, 'name a file that can be written: --html FILE');
  }
  return { file, failovers: records.filter((r) => r.entry === 'outcome').length };
}

export function questionFrom(vip: string | undefined, options: TimelineOptions, now: EpochMs): Question {
  const whole: boolean = vip !== undefined || options.node !== undefined;
  const period = periodFrom(options, now, whole);
  const found = options.outcome?.filter((o) => !(outcomes as readonly string[]).includes(o)) ?? [];
  if (found.length > 0) {
    throw usage(`--outcome ${found.join(', ')}: no such outcome`, `want ${outcomes.join(', ')}`);
  }
  const kinds = (options.kind ?? Object.keys(kindNames)).map(kindFrom);
  if (options.outcome !== undefined && !kinds.includes('outcome'))
    throw usage(
      `--outcome cannot be used with --kind ${options.kind!.join(',')}: only failovers have an outcome`,
      'leave one of them out',
    );
  return {
    ...period,
    ...defined({ vip, node: options.node, outcomes: options.outcome as readonly Outcome[] | undefined }),
    kinds,
    limit: options.limit ?? (options.html === undefined ? 50 : FAILOVERS_MAX),
  };
}

const kindNames: Readonly<Record<string, AuditRecord['entry']>> = {
  failover: 'outcome',
  order: 'order',
  rejected: 'rejected',
};

function kindFrom(name: string): AuditRecord['entry'] {
  const kind = kindNames[name];
  if (kind !== undefined) return kind;
  throw usage(`--kind ${name}: no such kind`, `want ${Object.keys(kindNames).join(', ')}`);
}
