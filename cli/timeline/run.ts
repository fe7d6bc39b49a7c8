// What `vipshift timeline` does: shows what happened, newest last, as people read.
import { writeFile } from 'node:fs/promises';
import { momentText } from '../../shared/instants.ts';
import { nodeInFull } from '../../shared/network/node-facts.ts';
import { defined } from '../../shared/optional.ts';
import { type EpochMs, epochMs } from '../../shared/time.ts';
import { type Answer, nodesOf, type Question } from '../../shared/timeline/query.ts';
import type { CommandContext } from '../command/command.ts';
import { refused } from '../command/exit.ts';
import { isInstanceId, nodeNamed } from '../command/node/chosen.ts';
import { type Output, plain } from '../command/output.ts';
import type { Session } from '../command/session.ts';
import { registeredNames, unknown } from '../command/vip/registered-vip.ts';
import { pageText } from './html-page.ts';
import { questionFrom, type TimelineOptions } from './question.ts';
import { rowOf, timelineHead } from './rows.ts';

export async function run({ args, options, out, session }: CommandContext<TimelineOptions>): Promise<void> {
  const node = options.node === undefined ? undefined : await nodeOf(session, out, args[0], options.node);
  const question = questionFrom(args[0], { ...options, ...defined({ node }) }, session.now());
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
  if (records.length === 0) return nothing(session, out, question, options.tz);
  if (out.json) return out.documents(records);
  const { nodes } = await session.names.learn({ ids: records.flatMap(nodesOf).filter(isInstanceId) }, out);
  const isShort = out.fits !== undefined;
  out.table(
    isShort ? [`time (${options.tz})`, ...timelineHead.slice(1)] : timelineHead,
    records.map((record) => rowOf(record, { zone: options.tz, isShort, nodes })),
  );
  const named = [...nodes.values()].filter(({ name }) => name !== undefined);
  for (const one of named) out.note(plain(nodeInFull(one.node, nodes)));
}

/** An id is asked for as it is: the record may be of a node that is gone. */
async function nodeOf(session: Session, out: Output, vip: string | undefined, text: string): Promise<string> {
  if (isInstanceId(text)) return text;
  const all = (await session.ports.vips.list()).filter((one) => vip === undefined || one.name === vip);
  const found = await session.names.learn({ vips: all }, out);
  return nodeNamed(text, found, '--node', vip ?? 'the registry');
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
