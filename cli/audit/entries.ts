// What the record has in a window beside outcomes: operators' actions, requests for approval, rejections and intents.
//
// Limit: entries of VIPs that neither the registry nor an outcome of the window names are found by the index by day alone.
import { intentsOf, requestsOf } from '../../shared/aws/audit-uncovered.ts';
import { epochMs, hours } from '../../shared/time.ts';
import type { OperatorAction, OperatorActionKind } from '../../shared/timeline/operator-action.ts';
import { daysOf, type Window } from '../../shared/timeline/query.ts';
import { type EntryKeys, keyOf, type Recorded } from '../../shared/timeline/verify.ts';
import type { Session } from '../command/session.ts';

export interface Entries {
  /** Operators' actions; the answers to requests for approval are among them. */
  readonly orders: readonly OperatorAction[];
  readonly requests: readonly EntryKeys[];
  readonly rejections: number;
  readonly intents: number;
  /** There may be more than was read. */
  readonly atLeast: boolean;
}

/** Only the workflow writes these. */
const ofWorkflow: readonly OperatorActionKind[] = ['failover', 'approve', 'deny'];

export const workflowEntries = ({ orders, requests }: Entries): readonly EntryKeys[] => [
  ...orders.filter(({ order }) => ofWorkflow.includes(order)),
  ...requests,
];

export async function entriesOf(
  session: Session,
  window: Window,
  records: readonly Recorded[],
): Promise<Entries> {
  const { settings, environment, signal } = session;
  const { timelineTable: table, retentionDays } = settings;
  const timeline = { client: environment.clients.dynamo, table, signal, retentionDays };
  const failovers = records.map((record) => record.failover);
  const registered = (await session.ports.vips.list()).map((vip) => vip.name);
  const names = [...new Set([...registered, ...failovers.map(({ vip }) => vip)])];
  const [orders, rejected, intents, asked] = await Promise.all([
    ordersOf(session, window, names),
    session.log.find({ ...window, kinds: ['rejected'], limit: READ_MAX }),
    intentsOf(timeline, failovers),
    requestsOf(timeline, names, window),
  ]);
  const rejections = rejected.records.length;
  return {
    orders: orders.found,
    requests: asked.requests,
    rejections,
    intents: intents.count,
    atLeast:
      orders.atLeast ||
      rejected.readBackToMs !== undefined ||
      rejections === READ_MAX ||
      intents.atLeast ||
      asked.atLeast,
  };
}

/** Orders of one day or one VIP, and rejections of all, read at once. */
const READ_MAX = 20_000;

/** By day and by VIP: one that was put past the index is shown by `timeline NAME` all the same. */
async function ordersOf(session: Session, window: Window, names: readonly string[]) {
  const found = new Map<string, OperatorAction>();
  let atLeast = false;
  const read = async (more: Window & { readonly vip?: string }) => {
    const { records, readBackToMs } = await session.log.find({ ...more, kinds: ['order'], limit: READ_MAX });
    for (const record of records) if (record.entry === 'order') found.set(keyOf(record), record);
    atLeast ||= readBackToMs !== undefined || records.length === READ_MAX;
  };
  for (const day of daysOf(window)) {
    const start = epochMs(Date.parse(`${day}T00:00:00Z`));
    await read({
      sinceMs: epochMs(Math.max(start, window.sinceMs)),
      untilMs: epochMs(Math.min(start + hours(24), window.untilMs)),
    });
  }
  for (const vip of names) await read({ ...window, vip });
  return { found: [...found.values()], atLeast };
}
