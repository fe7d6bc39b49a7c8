// Guarantee 6: the record does not lie. No mutation without a cause and an epoch written before it; the outcome stands
// before the epoch is closed; every epoch gets one, and the store takes it; and an outcome agrees with what was sent and what EC2 shows.
import type { StepDone } from '../../../shared/network/step.ts';
import { milestoneAt } from '../../../shared/timeline/milestone.ts';
import type { Entry, Failover } from '../../../shared/timeline/timeline.ts';
import { ATTEMPT_MAX } from '../../../shared/vip/lease.ts';
import { SKEW_MAX_MS } from '../functions/lambda.ts';
import type { VipSpec } from '../history/history.ts';
import type { Sent } from '../truth/log.ts';
import { eipEni, serviceEni } from '../truth/truth.ts';
import type { Violation } from '../violation.ts';
import { type CellChange, STALE_MAX_MS } from '../world/region.ts';
import type { World } from '../world/world.ts';

export const trueRecord = (world: World): readonly Violation[] =>
  world.story.vips.flatMap((spec) => {
    const found: Violation[] = [];
    const say = (atMs: number, what: string) =>
      found.push({ guarantee: 'true record', vip: spec.name, atMs, what });
    const entries = world.net.timeline.entries
      .map((entry, n) => ({ entry, atMs: world.log.filedAtMs[n]!, n }))
      .filter(({ entry }) => entry.vip === spec.name);
    const sends = world.log.sends.filter((sent) => sent.vip === spec.name);
    for (const { atMs, entry, why } of world.log.unfiled)
      if (entry.vip === spec.name)
        say(atMs, `the ${entry.entry} of epoch ${entry.epoch} cannot be recorded: ${why}`);
    const { causes, begun } = closing(world, spec.name, entries, say);
    caused(sends, say);
    const outcomes = new Map<number, Outcome>();
    for (const { entry, atMs } of entries) {
      if (causes.get(entry.epoch) !== entry.cause)
        say(atMs, `epoch ${entry.epoch} is told with another cause`);
      if (entry.entry === 'outcome') outcomes.set(entry.epoch, { outcome: entry, atMs });
    }
    const last = world.net.vips.items.get(spec.name)!.epoch;
    for (let epoch = 1; epoch <= last; epoch++) {
      const told = outcomes.get(epoch);
      if (told === undefined) {
        if (!isLeftOpen(world, spec.name, epoch)) say(world.endAtMs, `epoch ${epoch} has no outcome`);
      } else if (told.outcome.outcome !== 'abandoned') {
        agrees(world, told, sends, say);
        readUnderLease(world, told, begun.get(epoch + 1), say);
        verifiedRight(world, spec, { ...told, begunAtMs: begun.get(epoch) ?? 0 }, (what) =>
          say(told.atMs, `epoch ${epoch} (${told.outcome.outcome}): ${what}`),
        );
      }
    }
    return found;
  });

/** In a tombstone: no one comes next. */
function isLeftOpen(world: World, vip: string, epoch: number): boolean {
  const item = world.net.vips.items.get(vip)!;
  return item.removedAtMs !== undefined && Object.values(item.open).some((o) => o.epoch === epoch);
}

type Say = (atMs: number, what: string) => void;
interface Outcome {
  readonly outcome: Failover;
  readonly atMs: number;
}
type Filed = { readonly entry: Entry; readonly atMs: number; readonly n: number };

/** An epoch is closed in the item only when its outcome stands. Returns the cause of every epoch and when it began. */
function closing(world: World, vip: string, entries: readonly Filed[], say: Say) {
  const causes = new Map<number, unknown>();
  const begun = new Map<number, number>();
  for (const write of world.log.writes) {
    const { before, after } = write;
    if (after.name !== vip || before?.open === after.open) continue;
    for (const [holder, open] of Object.entries(after.open)) {
      if (before?.open[holder] !== undefined) continue;
      causes.set(open.epoch, open.cause);
      begun.set(open.epoch, write.atMs);
    }
    for (const [holder, open] of Object.entries(before?.open ?? {})) {
      if (after.open[holder] !== undefined) continue;
      const word = entries.find((e) => e.entry.entry === 'outcome' && e.entry.epoch === open.epoch)?.entry;
      if (
        before?.lease?.holder === holder &&
        write.by?.nonces.has(holder) &&
        word?.entry === 'outcome' &&
        word.outcome === 'abandoned'
      )
        say(write.atMs, `epoch ${open.epoch} is told as abandoned, but its own holder closed it`);
      const told = entries.some(
        (e) => e.n < write.entries && e.entry.entry === 'outcome' && e.entry.epoch === open.epoch,
      );
      if (!told) say(write.atMs, `epoch ${open.epoch} was closed before its outcome was recorded`);
    }
  }
  return { causes, begun };
}

function caused(sends: readonly Sent[], say: Say): void {
  for (const { item, atMs, step } of sends) {
    const lease = item?.lease;
    const open = lease === undefined ? undefined : item!.open[lease.holder];
    if (open?.epoch !== lease?.epoch || open === undefined)
      say(atMs, `${step.cell} was sent without an open epoch`);
  }
}

function agrees(world: World, { outcome: told, atMs }: Outcome, sends: readonly Sent[], say: Say): void {
  const own = sends.filter((s) => s.item?.lease?.epoch === told.epoch && s.by.nonces.has(told.holder));
  const say1 = (what: string) => say(atMs, `epoch ${told.epoch} (${told.outcome}): ${what}`);
  if (own.length > 0) {
    const cells = new Set(told.steps.map((s) => s.cell));
    for (const sent of own) {
      if (!cells.has(sent.step.cell)) say1(`says nothing of ${sent.step.cell}, which was sent`);
    }
  }
  if (told.outcome === 'unchanged' && own.length > 0) say1('something was sent');
  if (told.outcome === 'switched' && told.steps.some((s) => s.result !== 'done'))
    say1('not every step was done');
  const byCell = Map.groupBy(own, (sent) => sent.step.cell);
  for (const step of told.steps) {
    const attempts = byCell.get(step.cell) ?? [];
    if (attempts.length !== step.attempts)
      say1(`${step.cell} tells ${step.attempts} attempts of ${attempts.length}`);
    const landed = attempts.find((s) => s.landed === 'done');
    // Undone by someone else, an earlier success does not make a later refusal a lie.
    const undone = (landedAtMs: number) =>
      world.region
        .changesOf(step.cell)
        .some((c) => c.atMs > landedAtMs && !attempts.some((s) => s.id === c.by));
    if (step.result === 'failed' && landed !== undefined && !undone(landed.landedAtMs))
      say1(`${step.cell} failed, but landed`);
    const settled = step.result === 'done' && !step.cell.endsWith(' check');
    if (settled && !attempts.some((s) => s.landed === 'done') && !stood(world, step, atMs)) {
      say1(`${step.cell} is told as done, but nothing landed`);
    }
    if (told.verified && !step.cell.endsWith(' check') && !stood(world, step, atMs)) {
      say1(`is told as verified, but ${step.cell} did not lead to ${step.to}`);
    }
  }
}

/**
 * The next holder waits for twice as long as two clocks may differ. So who reads back under the lease, by its own clock, does so
 * before the next epoch begins.
 */
function readUnderLease(
  world: World,
  { outcome: told, atMs }: Outcome,
  nextBeganMs: number | undefined,
  say: Say,
): void {
  const readBackMs = milestoneAt(told.stages, 'read-back');
  if (!told.verified || readBackMs === undefined || nextBeganMs === undefined) return;
  const dated = readBackMs - world.epochAt;
  // By a clock that may be ahead.
  if (dated - SKEW_MAX_MS > nextBeganMs)
    say(
      atMs,
      `epoch ${told.epoch} is told as verified at ${dated} ms, and the next one began at ${nextBeganMs} ms`,
    );
}

/** Cells that stood when the epoch began and that neither an operator nor a late landing has changed since. */
function verifiedRight(
  world: World,
  spec: VipSpec,
  { outcome: told, atMs, begunAtMs }: Outcome & { readonly begunAtMs: number },
  say1: (what: string) => void,
): void {
  if (!told.verified || told.to === undefined) return;
  const last = new Map<string, CellChange>();
  const disturbed = new Set<string>();
  for (const change of world.region.changes) {
    if (change.atMs > atMs) break;
    last.set(change.cell, change);
    const sent = change.by === undefined ? undefined : world.log.sends[change.by]!;
    const slow =
      sent === undefined || sent.landedAtMs - sent.atMs > ATTEMPT_MAX || sent.step.cell !== change.cell;
    // A holder that was paused files what it saw before the next one went to work.
    const next = (sent?.item?.lease?.epoch ?? 0) > told.epoch;
    if ((slow || next) && change.atMs > begunAtMs - STALE_MAX_MS) disturbed.add(change.cell);
  }
  for (const [cell, change] of last) {
    const route = cell.startsWith(`rtb-${spec.name}-`);
    if (told.conflicts.some((c) => c.cell === cell)) continue;
    if (disturbed.has(cell) || !(route || spec.eips.includes(cell)) || change.is?.includes('foreign'))
      continue;
    const wanted = serviceEni(told.to);
    if (change.is !== wanted && (route || change.is !== eipEni(told.to))) {
      say1(`is told as verified, but ${cell} leads to ${change.is}, not ${wanted}`);
    }
  }
}

/** Whether EC2 showed the cell as the step wanted it at some time that the read-back may have seen. */
function stood(world: World, step: StepDone, atMs: number): boolean {
  const eni = step.to.split(' ')[0];
  const from = (step.sentAtMs ?? world.epochAt + atMs) - world.epochAt - STALE_MAX_MS;
  let value: string | undefined;
  for (const change of world.region.changesOf(step.cell)) {
    if (change.atMs > atMs) break;
    if (change.atMs > from && value === eni) return true;
    value = change.is;
  }
  return value === eni;
}
