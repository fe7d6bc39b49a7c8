// What `audit verify` does not cover, in numbers: rejections and intents have no digest in the log, nor have the operators'
// actions that the command line records itself.

import { intentsOf, requestsOf } from '../../shared/aws/audit-uncovered.ts';
import { toleratedFault } from '../../shared/fault.ts';
import { epochMs, hours } from '../../shared/time.ts';
import type { Window } from '../../shared/timeline/query.ts';
import { daysOf } from '../../shared/timeline/query.ts';
import type { Recorded } from '../../shared/timeline/verify.ts';
import type { Session } from '../command/session.ts';

export interface Uncovered {
  /** Operators' actions; the answers to requests for approval are among them. */
  readonly orders: number;
  readonly rejections: number;
  readonly intents: number;
  /** Requests for approval. */
  readonly approvals: number;
  /** There may be more than was read. */
  readonly atLeast: boolean;
}

export interface Covered {
  readonly records: readonly Recorded[];
  /** How many of the entries that are there the log has a digest of. */
  readonly there: { readonly orders: number; readonly approvals: number };
}

/** A sentence in their place when they could not be counted. */
export async function uncovered(
  session: Session,
  window: Window,
  { records, there }: Covered,
): Promise<Uncovered | string> {
  const { settings, environment, signal } = session;
  const { timelineTable: table, retentionDays } = settings;
  const timeline = { client: environment.clients.dynamo, table, signal, retentionDays };
  try {
    const names = (await session.ports.vips.list()).map((vip) => vip.name);
    const [told, intents, approvals] = await Promise.all([
      ordersAndRejections(session, window),
      intentsOf(
        timeline,
        records.map((record) => record.failover),
      ),
      requestsOf(timeline, names, window),
    ]);
    return {
      orders: Math.max(0, told.orders - there.orders),
      rejections: told.rejections,
      intents: intents.count,
      approvals: Math.max(0, approvals.count - there.approvals),
      atLeast: told.atLeast || intents.atLeast || approvals.atLeast,
    };
  } catch (error) {
    return toleratedFault(error).message;
  }
}

/** Orders of one day, and rejections of all days, read at once. */
const DAY_MAX = 20_000;

async function ordersAndRejections(session: Session, window: Window) {
  const rejected = await session.log.find({ ...window, kinds: ['rejected'], limit: DAY_MAX });
  const rejections = rejected.records.length;
  let [orders, atLeast] = [0, rejected.readBackToMs !== undefined || rejections === DAY_MAX];
  for (const day of daysOf(window)) {
    const start = epochMs(Date.parse(`${day}T00:00:00Z`));
    const { records, readBackToMs } = await session.log.find({
      kinds: ['order'],
      limit: DAY_MAX,
      sinceMs: epochMs(Math.max(start, window.sinceMs)),
      untilMs: epochMs(Math.min(start + hours(24), window.untilMs)),
    });
    orders += records.length;
    atLeast ||= readBackToMs !== undefined || records.length === DAY_MAX;
  }
  return { orders, rejections, atLeast };
}

export function uncoveredText(found: Uncovered | string): string {
  const unseen = 'anyone with write access to the table can change them unnoticed';
  if (typeof found === 'string')
    return `not covered: operator actions, rejections, intents and requests for approval (not counted: ${found}); ${unseen}`;
  const { orders, rejections, intents, approvals, atLeast } = found;
  const counts = [
    `${orders} operator ${orders === 1 ? 'action' : 'actions'}`,
    `${rejections} ${rejections === 1 ? 'rejection' : 'rejections'}`,
    `${intents} ${intents === 1 ? 'intent' : 'intents'}`,
    `${approvals} ${approvals === 1 ? 'request' : 'requests'} for approval`,
  ];
  return `not covered${atLeast ? ', at least' : ''}: ${counts.join(', ')}; they have no digest in the log, ${unseen}`;
}
