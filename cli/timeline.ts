// `vipshift timeline`: what happened, newest last, as people read.
import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Answer, AuditRecord, Question } from '../shared/audit.ts';
import { DAYS_MAX } from '../shared/audit.ts';
import { dayFrom, isZone, momentFrom, momentText } from '../shared/audit-time.ts';
import { type EpochMs, epochMs, hours, minus } from '../shared/time.ts';
import { type Outcome, outcomes } from '../shared/timeline.ts';
import { act, type Run } from './act.ts';
import { refused, usage } from './exit.ts';
import { list, positive, withCommon } from './options.ts';
import type { Output } from './output.ts';
import { FAILOVERS_MAX, pageText } from './page.ts';
import type { Session } from './session.ts';
import { standingNames, unknown } from './standing.ts';
import { rowOf, timelineHead } from './timeline-rows.ts';

export interface PeriodOptions {
  readonly since?: string;
  readonly until?: string;
  readonly day?: string;
  readonly tz: string;
}

interface TimelineOptions extends PeriodOptions {
  readonly node?: string;
  readonly outcome?: readonly string[];
  readonly kind?: readonly string[];
  readonly limit?: number;
  readonly html?: string;
}

/** Over all VIPs each day is a query of its own; one VIP's record is read from its newest end. */
const SINCE_DEFAULT = hours(24 * 7);

export const withZone = (command: Command): Command =>
  command.option('--tz <zone>', 'show and read times in this zone, such as Europe/Berlin', zoneFrom, 'UTC');

export const withPeriod = (command: Command): Command =>
  withZone(
    command
      .option('--since <time>', 'from then on: 2h, 3d, 2026-11-22, 2026-11-22T14:03Z (UTC unless it says)')
      .option('--until <time>', 'before then')
      .option('--day <date>', 'that day alone: 2026-11-22'),
  );

function zoneFrom(text: string): string {
  if (isZone(text)) return text;
  throw new InvalidArgumentError('want a time zone as the IANA names it, such as Europe/Berlin.');
}

export const timelineCommand = () =>
  act<TimelineOptions>(
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

async function run({ args, options, out, session }: Run<TimelineOptions>): Promise<void> {
  const question = questionFrom(args[0], options, session.now());
  const answer = await session.log.find(question);
  if (answer.readBackToMs !== undefined) {
    out.note(
      `the reading stopped at ${momentText(answer.readBackToMs, options.tz)}; ask for less: --since, --until, --limit`,
    );
  }
  if (options.html !== undefined) {
    const { file, failovers } = await writePage(options.html, question, answer, options.tz, session.now());
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

/** A name that the ledger never had is most likely a slip; a removed VIP's record stays. */
async function nothing(session: Session, out: Output, question: Question, zone: string): Promise<void> {
  const { vip, sinceMs, untilMs } = question;
  if (vip !== undefined && (await session.wire.vips.read(vip)) === undefined)
    throw unknown(vip, await standingNames(session));
  const until = momentText(epochMs(Math.min(untilMs, session.now())), zone);
  const when = sinceMs === 0 ? `up to ${until}` : `from ${momentText(sinceMs, zone)} to ${until}`;
  out.note(`nothing recorded ${when}`);
}

async function writePage(
  file: string,
  question: Question,
  answer: Answer,
  zone: string,
  madeAtMs: EpochMs,
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
    ...(answer.readBackToMs === undefined ? {} : { readBackToMs: answer.readBackToMs }),
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
    ...(vip === undefined ? {} : { vip }),
    ...(options.node === undefined ? {} : { node: options.node }),
    ...(options.outcome === undefined ? {} : { outcomes: options.outcome as readonly Outcome[] }),
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

export function periodFrom(options: PeriodOptions, now: EpochMs, whole: boolean) {
  const { tz } = options;
  if (options.day !== undefined) {
    if (options.since !== undefined || options.until !== undefined)
      throw usage('--day stands for itself', 'leave --since and --until out');
    const day = dayFrom(options.day, tz);
    if (day === undefined) throw usage(`--day ${options.day}: no such day`, 'want 2026-11-22');
    return day;
  }
  // A little ahead: another machine's clock may have stamped the newest record.
  const untilMs =
    options.until === undefined ? epochMs(now + 60_000) : moment('--until', options.until, now, tz);
  const sinceMs =
    options.since === undefined
      ? whole
        ? epochMs(0)
        : minus(untilMs, SINCE_DEFAULT)
      : moment('--since', options.since, now, tz);
  if (sinceMs >= untilMs) throw usage('--since is not before --until', 'turn them round');
  if (!whole && untilMs - sinceMs > hours(24 * DAYS_MAX))
    throw usage(`more than ${DAYS_MAX} days over all VIPs`, 'ask for one VIP, or a shorter time');
  return { sinceMs, untilMs };
}

export function moment(option: string, text: string, now: EpochMs, zone: string): EpochMs {
  const found = momentFrom(text, now, zone);
  if (found !== undefined) return found;
  throw usage(`${option} ${text}: no such time`, 'want 90s, 15m, 2h, 3d, 2026-11-22 or 2026-11-22T14:03:07Z');
}
