// What `vipshift explain` does: shows one record in full.
import { momentText } from '../../shared/instants.ts';
import { defined } from '../../shared/optional.ts';
import { epochMs } from '../../shared/time.ts';
import { nodesOf } from '../../shared/timeline/query.ts';
import type { Failover } from '../../shared/timeline/timeline.ts';
import type { CommandContext } from '../command/command.ts';
import { refused, type Status, status, usage } from '../command/exit.ts';
import { hint } from '../command/hint.ts';
import { printFailover, printIntent, printOrder, printRejection } from './failover-text.ts';
import type { Zone } from './period.ts';

/** The newest ones of a VIP; a self-test is confirmed within minutes. */
const PROBES_LOOKED_THROUGH = 200;

export async function explain(context: CommandContext<Zone>): Promise<Status> {
  const { args, options, out, session } = context;
  const [vip = '', ...rest] = args[0]!.split('/');
  if (vip === '')
    throw usage(`"${args[0]}": not an id`, `expected web or web/42, as ${hint('timeline')} names it`);
  const id = rest.join('/');
  if (id.startsWith('order/')) {
    const order = await session.log.order(vip, id);
    if (order === undefined) throw nothing(args[0]!, vip);
    if (out.json) out.document(order);
    else {
      await session.names.learn({ ids: [order.node] }, out);
      printOrder(out, order, options.tz, session.names.known());
    }
    return status.ok;
  }
  if (id === 'probe/')
    throw usage(
      'which self-test?',
      'expected web/42, or web/probe/ID with the id that the self-test printed',
    );
  if (id.startsWith('probe/')) return explainProbe(vip, id.slice('probe/'.length), context);
  if (id.startsWith('rejected/')) {
    const rejected = await session.log.rejection(vip, id.slice('rejected/'.length));
    if (rejected === undefined) throw nothing(args[0]!, vip);
    if (out.json) out.document(rejected);
    else printRejection(out, rejected, options.tz);
    return status.ok;
  }
  const epoch = id === '' ? await newestEpoch(session, vip) : Number(id);
  if (!Number.isSafeInteger(epoch) || epoch < 1)
    throw usage(`${args[0]}: not an id`, `expected web/42, as ${hint('timeline')} names it`);
  const { intent, outcome } = await session.log.epoch(vip, epoch);
  if (intent === undefined && outcome === undefined) throw nothing(args[0]!, vip);
  if (out.json) out.document({ intent, outcome });
  else {
    const ids = [intent?.from, intent?.to, ...(outcome === undefined ? [] : idsOf(outcome))];
    const { nodes } = await session.names.learn({ ids }, out);
    if (outcome !== undefined) printFailover(out, outcome, options.tz, nodes);
    else printIntent(out, intent!, options.tz, nodes);
  }
  return status.ok;
}

const idsOf = (outcome: Failover): readonly string[] => [...nodesOf(outcome), ...Object.keys(outcome.claims)];

/** What confirms a node's self-test: only the controller can have put its event here. */
async function explainProbe(
  vip: string,
  eventId: string,
  { out, session, options }: CommandContext<Zone>,
): Promise<Status> {
  const probe = (await session.log.probes(vip, PROBES_LOOKED_THROUGH)).find((p) => p.eventId === eventId);
  if (probe === undefined) {
    const next = `wait a few seconds and ask again; else check the node’s bus and source: ${hint(`doctor ${vip}`)}`;
    throw refused(`self-test ${eventId} of ${vip} has not reached the controller`, next);
  }
  if (out.json) {
    const { node, atMs, shim } = probe;
    out.document({ vip, node, eventId, atMs, ...defined({ shim }) });
  } else {
    await session.names.learn({ ids: [probe.node] }, out);
    const when = momentText(probe.atMs, options.tz);
    out.line(session.names.text(`the self-test of ${probe.node} reached the controller at ${when}`));
  }
  return status.ok;
}

const nothing = (id: string, vip: string) =>
  refused(`the record has no ${id}`, `${hint(`timeline ${vip}`)}; records are deleted after their retention`);

async function newestEpoch(session: CommandContext<Zone>['session'], vip: string): Promise<number> {
  const answer = await session.log.find({
    vip,
    kinds: ['outcome'],
    limit: 1,
    sinceMs: epochMs(0),
    untilMs: epochMs(session.now() + 86_400_000),
  });
  const [newest] = answer.records;
  if (newest?.entry !== 'outcome') throw nothing(vip, vip);
  return newest.epoch;
}
