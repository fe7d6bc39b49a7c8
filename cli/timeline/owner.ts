// What `vipshift owner` does: says who owned a VIP at an instant.
import { momentText } from '../../shared/instants.ts';
import { nodeInFull, withNames } from '../../shared/network/node-facts.ts';
import { defined } from '../../shared/optional.ts';
import { ownerAt } from '../../shared/timeline/query.ts';
import type { CommandContext } from '../command/command.ts';
import { usage } from '../command/exit.ts';
import { hint } from '../command/hint.ts';
import { plain } from '../command/output.ts';
import { registeredNames, unknown } from '../command/vip/registered-vip.ts';
import { moment, type Zone } from './period.ts';

export interface OwnerOptions extends Zone {
  readonly at: string;
}

export async function owner({ args, options, out, session }: CommandContext<OwnerOptions>): Promise<void> {
  const vip = args[0]!;
  const now = session.now();
  const atMs = moment('--at', options.at, now, options.tz);
  if (atMs > now) throw usage(`--at ${options.at} is in the future`, 'ask for a time that has passed');
  const [item, around] = await Promise.all([session.ports.vips.read(vip), session.log.around(vip, atMs)]);
  if (item === undefined) throw unknown(vip, await registeredNames(session));
  const found = ownerAt(vip, atMs, {
    ...around,
    ...defined({ ownerNow: item.owner }),
  });
  if (out.json) return out.document({ ...found, at: momentText(atMs, options.tz), reads: around.reads });
  const { nodes } = await session.names.learn({ ids: [found.owner, found.underWay?.to] }, out);
  out.line(plain(found.owner ?? 'no one'));
  const say = (text: string) => out.line(`  ${plain(withNames(text, nodes))}`);
  if (found.owner !== undefined && nodes.has(found.owner))
    out.line(`  ${plain(nodeInFull(found.owner, nodes))}`);
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
      `epoch ${epoch} was under way to ${to ?? 'no one'}, and ended ${outcome}: ${hint(`explain ${vip}/${epoch}`)}`,
    );
  }
}
