// `vipshift explain` and `vipshift owner`: one record in full, and who owned a VIP at an instant.
import { Command } from 'commander';
import { momentText } from '../../shared/instants.ts';
import { defined } from '../../shared/optional.ts';
import { epochMs } from '../../shared/time.ts';
import { ownerAt } from '../../shared/timeline/query.ts';
import { type CommandContext, defineCommand } from '../command/command.ts';
import { refused, type Status, status, usage } from '../command/exit.ts';
import { withCommon } from '../command/options.ts';
import { plain } from '../command/output.ts';
import { registeredNames, unknown } from '../command/registered-vip.ts';
import { printFailover, printIntent, printOrder, printRejection } from './failover-text.ts';
import { moment, type PeriodOptions, withZone } from './period.ts';

type Zone = Pick<PeriodOptions, 'tz'>;

/** The newest ones of a VIP; a self-test is confirmed within minutes. */
const PROBES_LOOKED_THROUGH = 200;

export const explainCommand = () =>
  defineCommand<Zone>(
    withCommon(
      withZone(
        new Command('explain')
          .description(
            'one line of the timeline in full: cause, decision, each table before and after, milliseconds',
          )
          .argument(
            '<id>',
            'as the timeline names it: web/42, or web for its newest failover; web/probe/ID for a self-test',
          )
          .addHelpText(
            'after',
            '\nExamples:\n  $ vipshift explain web/42\n  $ vipshift explain web\n  $ vipshift explain web/42 --json | jq .outcome.steps\n  $ vipshift explain web/probe/3f2a9c1e-…',
          ),
      ),
    ),
    async () => explain,
  );

async function explain(context: CommandContext<Zone>): Promise<Status> {
  const { args, options, out, session } = context;
  const [vip = '', ...rest] = args[0]!.split('/');
  const id = rest.join('/');
  if (id.startsWith('order/')) {
    const order = await session.log.order(vip, id);
    if (order === undefined) throw nothing(args[0]!, vip);
    if (out.json) out.document(order);
    else printOrder(out, order, options.tz);
    return status.ok;
  }
  if (id === 'probe/')
    throw usage('which self-test?', 'want web/42, or web/probe/ID with the id that the self-test printed');
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
    throw usage(`${args[0]}: no such id`, 'want web/42, as vipshift timeline names it');
  const { intent, outcome } = await session.log.epoch(vip, epoch);
  if (intent === undefined && outcome === undefined) throw nothing(args[0]!, vip);
  if (out.json) out.document({ intent, outcome });
  else if (outcome !== undefined) printFailover(out, outcome, options.tz);
  else printIntent(out, intent!, options.tz);
  return status.ok;
}

/** What confirms a node's self-test: only the controller can have put its event here. */
async function explainProbe(
  vip: string,
  eventId: string,
  { out, session, options }: CommandContext<Zone>,
): Promise<Status> {
  const probe = (await session.log.probes(vip, PROBES_LOOKED_THROUGH)).find((p) => p.eventId === eventId);
  if (probe === undefined) {
    const next = `wait a few seconds and ask again; else check the node’s bus and source: vipshift doctor ${vip}`;
    throw refused(`no self-test ${eventId} of ${vip} has reached the controller`, next);
  }
  if (out.json) out.document(probe);
  else
    out.line(
      plain(`the self-test of ${probe.node} reached the controller at ${momentText(probe.atMs, options.tz)}`),
    );
  return status.ok;
}

const nothing = (id: string, vip: string) =>
  refused(`the record has no ${id}`, `vipshift timeline ${vip}; records are deleted after their retention`);

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

interface OwnerOptions extends Zone {
  readonly at: string;
}

export const ownerCommand = () =>
  defineCommand<OwnerOptions>(
    withCommon(
      withZone(
        new Command('owner')
          .description('who owned a VIP at an instant, since when, why, and by whose order')
          .argument('<vip>')
          .option('--at <time>', 'now, 2h (ago), 2026-11-22T14:03:07Z', 'now')
          .addHelpText(
            'after',
            '\nExamples:\n  $ vipshift owner web\n  $ vipshift owner web --at 2026-11-22T14:03:07.500Z',
          ),
      ),
    ),
    async () => owner,
  );

async function owner({ args, options, out, session }: CommandContext<OwnerOptions>): Promise<void> {
  const vip = args[0]!;
  const now = session.now();
  const atMs = moment('--at', options.at, now, options.tz);
  if (atMs > now) throw usage(`--at ${options.at} is still to come`, 'ask for a time that has passed');
  const [item, around] = await Promise.all([session.ports.vips.read(vip), session.log.around(vip, atMs)]);
  if (item === undefined) throw unknown(vip, await registeredNames(session));
  const found = ownerAt(vip, atMs, {
    ...around,
    ...defined({ ownerNow: item.owner }),
  });
  if (out.json) return out.document({ ...found, at: momentText(atMs, options.tz), reads: around.reads });
  out.line(`${plain(found.owner ?? 'no one')}`);
  const say = (text: string) => out.line(`  ${plain(text)}`);
  say(`owned ${vip} at ${momentText(atMs, options.tz)}: ${found.how}`);
  if (found.by !== undefined) {
    const { epoch, cause, atMs: since } = found.by;
    say(
      `since ${momentText(since, options.tz)}, epoch ${epoch}: ${cause.why}${cause.by === undefined ? '' : `, ordered by ${cause.by}`}`,
    );
  }
  if (found.underWay !== undefined) {
    const { epoch, to, outcome } = found.underWay;
    say(
      `epoch ${epoch} was under way to ${to ?? 'no one'}, and ended ${outcome}: vipshift explain ${vip}/${epoch}`,
    );
  }
}
