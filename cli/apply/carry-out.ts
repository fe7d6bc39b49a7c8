// Writes the changes of a file: several VIPs at a time, those that give something up before those that get it, and those that
// are pruned at the end.
import type { Vip } from '../../shared/vip/vip.ts';
import { complaintOf } from '../command/aws-errors.ts';
import type { CommandContext } from '../command/command.ts';
import { type Status, status } from '../command/exit.ts';
import { type Tried, tryAll } from '../command/many.ts';
import { plain } from '../command/output.ts';
import { progress } from '../command/print/progress.ts';
import { removeVip } from '../vip/list.ts';
import { register } from '../vip/register.ts';
import { type Change, waves } from './changes.ts';
import type { ApplyOptions } from './options.ts';
import { summarize } from './show.ts';

/** Each takes some writes one after the other: DynamoDB answers in milliseconds, a laptop's way to it is longer. */
const AT_ONCE = 16;
/** More than so many are counted, not listed, while they are written. */
const LISTED_MAX = 20;

/** One VIP that is written. */
interface Piece {
  readonly name: string;
  readonly done: string;
  readonly write: () => Promise<unknown>;
}

export async function carryOut(
  { options, out, session }: CommandContext<ApplyOptions>,
  changes: readonly Change[],
  pruned: readonly Vip[],
): Promise<Status> {
  const reason = options.reason ?? '';
  const pieces = [
    ...waves(changes).map((wave) =>
      wave.map(({ name, was, prepared }) => ({
        name,
        done: was === undefined ? 'registered' : 'changed',
        write: () => register(session, prepared, was === undefined ? 'add' : 'set', reason),
      })),
    ),
    pruned.map((vip) => ({
      name: vip.name,
      done: 'removed',
      write: () => removeVip(session, vip, reason),
    })),
  ];
  const total = changes.length + pruned.length;
  const shown = progress('writing', total);
  const results: Tried<Piece>[] = [];
  try {
    for (const wave of pieces) {
      const stopped = results.some(({ left }) => left.length > 0);
      results.push(
        stopped
          ? { done: [], failed: [], left: wave }
          : await tryAll<Piece>(
              wave,
              async ({ name, done, write }) => {
                await write();
                if (total <= LISTED_MAX) shown.note(`${name}: ${done}`);
              },
              { clock: session.ports.clock, atOnce: AT_ONCE, over: shown.step },
            ),
      );
    }
  } finally {
    shown.end();
  }
  const done = results.flatMap((result) => result.done);
  const failed = results.flatMap((result) => result.failed);
  const left = results.flatMap((result) => result.left).map(({ name }) => name);
  const told = failed.map(({ thing, error, fault }) => ({
    vip: thing.name,
    why: complaintOf(error)?.message ?? fault.message,
  }));
  // Nothing was written: it ends as a command for one VIP does.
  if (done.length === 0 && failed.length === 1) throw failed[0]!.error;
  for (const { vip, why } of told) out.note(plain(`${vip}: not written: ${why}`));
  if (total > LISTED_MAX || told.length > 0) out.note(`${done.length} of ${total} written`);
  if (told.length > 0)
    out.note(
      `${told.length} failed, ${left.length} not tried; run the same command again: it goes on with what is missing`,
    );
  summarize(out, { changes: total, done: done.length, failed: told, left });
  return told.length === 0 ? status.ok : status.bad;
}
