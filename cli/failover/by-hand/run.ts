// `vipshift failover --print-commands`: the AWS CLI's commands that move a VIP by hand, for when neither the workflow nor break-glass
// can. Prints; changes nothing.

import { durationFrom } from '../../../shared/instants.ts';
import { nodeInFull, nodeText } from '../../../shared/network/node-facts.ts';
import { plan } from '../../../shared/network/plan.ts';
import { defined } from '../../../shared/optional.ts';
import { shellWord } from '../../../shared/place.ts';
import { hours, iso } from '../../../shared/time.ts';
import { isLiveOrder, unfit, unfitText } from '../../../shared/vip/election.ts';
import { isLive } from '../../../shared/vip/lease.ts';
import type { Member } from '../../../shared/vip/member.ts';
import type { CommandContext } from '../../command/command.ts';
import { refused, type Status, status, usage } from '../../command/exit.ts';
import { hint } from '../../command/hint.ts';
import { nodeNamed } from '../../command/node/chosen.ts';
import type { Session } from '../../command/session.ts';
import { type KnownVip, knownVip } from './known.ts';
import type { ByHandOptions } from './options.ts';
import { awsLine, type Script, scriptLines, type Where } from './script.ts';

export async function printCommands({
  args,
  options,
  out,
  session,
}: CommandContext<ByHandOptions>): Promise<Status> {
  const length = options.for ?? '4h';
  const duration = durationFrom(length);
  if (duration === undefined || duration <= 0 || duration > hours(24 * 7))
    throw usage(`--for ${length}: not a duration`, 'expected 30m, 4h or 1d; at most 7d');
  const known = await knownVip(session, args[0]!, options);
  const { vip, seen, from, problem } = known;
  const found = await session.names.learn({ vips: [vip] }, out);
  const to = nodeNamed(options.to, found, '--to', vip.name);
  const target = vip.members[to];
  if (target === undefined || !seen.enis.some(({ eni }) => eni === target.eni))
    throw refused(
      `EC2 shows no ENI of ${to} in use with the label ${vip.nodeLabels.join(' or ')} in ${vip.vpc}`,
      `its nodes are: ${Object.keys(vip.members).join(', ') || 'none'}`,
    );
  const script = scriptFor(session, { ...known, target, to, length }, options);
  const where: Where = { region: session.region, ...defined({ profile: profileOf(options) }) };
  if (out.json) {
    const commands = script.steps.map((step) => awsLine(step, where));
    const { checks, before, conflicts, afterwards } = script;
    const unsure = script.unsure.map((step) => awsLine(step, where));
    const told = { vip: vip.name, to, from, ...defined({ problem }), checks, before, commands, unsure };
    out.document({ ...told, conflicts, afterwards });
  } else out.lines(scriptLines(script, where));
  out.note('nothing was changed: these are commands to be read and run');
  return status.ok;
}

/** As the AWS CLI would take it: it reads AWS_PROFILE itself, but a printed command may be run elsewhere. */
const profileOf = (options: { readonly profile?: string }): string | undefined =>
  options.profile ?? (process.env.AWS_PROFILE || undefined);

interface Move extends KnownVip {
  readonly target: Member;
  readonly to: string;
  /** Of the pin, such as `4h`. */
  readonly length: string;
}

function scriptFor(session: Session, move: Move, options: ByHandOptions): Script {
  const { vip, seen, target, to, length, from, problem, isUnsureOfEips } = move;
  // Every cell is set, whatever was seen: EC2's answers may be old, and to set a cell again does no harm.
  const { steps, conflicts } = plan(vip, seen, target, false);
  const isUnsure = (call: string) => isUnsureOfEips && call === 'AssociateAddress';
  const nodes = session.names.known();
  const why = shellWord(options.reason ?? 'moved by hand');
  const keeps = keepsIt(move, why);
  const moves = `failover ${vip.name} --to ${to} --break-glass --reason ${why}`;
  const seenAt = iso(seen.endedAtMs);
  return {
    head: [
      `${vip.name} to ${nodeInFull(to, nodes)}, by hand. Nothing has been run.`,
      `Stage ${session.settings.stage}, ${session.region}. Addresses from ${from}; tables, ENIs and EIPs as EC2 showed them at ${seenAt}.`,
      ...(problem === undefined ? whereItIs(move, nodes) : [`The registry: ${problem}`]),
      ...warnings(session, move).map((text) => `Note: ${session.names.text(text)}`),
    ],
    checks: move.checks,
    before: problem === undefined ? [keeps] : [],
    steps: steps.filter(({ call }) => !isUnsure(call)),
    unsure: steps.filter(({ call }) => isUnsure(call)),
    conflicts,
    afterwards: [
      ...(problem === undefined
        ? [`If DynamoDB and EC2 answer, this does it all under the lease and on record: ${hint(moves)}`]
        : [
            'As soon as DynamoDB answers, reconcile moves the VIP to VRRP’s master within a minute.',
            `So make ${nodeText(to, nodes)} keepalived’s master (sudo systemctl stop keepalived on the others), or leave`,
            'this running in another terminal; it goes on until it is accepted:',
            `until ${keeps}; do sleep 5; done`,
          ]),
      `Look: ${hint(`status ${vip.name}`)}`,
      `And for what was left: ${hint(`doctor ${vip.name}`)}`,
      `When all is well, give it back to VRRP (the pin ends by itself after ${length}): ${hint(`unpin ${vip.name}`)}`,
      'The record has no entry of a move by hand; CloudTrail has.',
    ],
  };
}

/** A pin where the node may have it; else a freeze, which a node that does not report cannot be denied. */
function keepsIt({ vip, to, length, problem }: Move, why: string): string {
  const isFit = problem !== undefined || unfit(vip, to) === undefined;
  const order = isFit ? `pin ${vip.name} --to ${to}` : `freeze ${vip.name}`;
  return hint(`${order} --for ${length} --reason ${why}`);
}

const whereItIs = ({ vip }: Move, nodes: Parameters<typeof nodeInFull>[1]): readonly string[] => [
  `It is at ${vip.owner === undefined ? 'no node yet' : nodeInFull(vip.owner, nodes)}, epoch ${vip.epoch}.`,
];

/** What an operator has to know; none of it keeps the commands from being printed. */
function warnings(session: Session, { vip, to, problem }: Move): readonly string[] {
  if (problem !== undefined) return [];
  const now = session.now();
  const { freeze, pin, lease, hold } = vip;
  const why = unfit(vip, to);
  return [
    ...(why === undefined ? [] : [`${to} is not fit by the registry: ${unfitText(why)}`]),
    ...(hold === 'master'
      ? [`hold is "master": ${to} has the address only while keepalived is MASTER there`]
      : []),
    ...(isLiveOrder(freeze, now)
      ? [`frozen until ${iso(freeze!.untilMs)} by ${freeze!.by}: ${freeze!.reason}`]
      : []),
    ...(isLiveOrder(pin, now) && pin!.node !== to
      ? [
          `pinned to ${pin!.node} until ${iso(pin!.untilMs)} by ${pin!.by}: ${pin!.reason}; the pin below replaces it`,
        ]
      : []),
    ...(isLive(lease, now)
      ? [`epoch ${vip.epoch} is under way until ${iso(lease!.expiresAtMs)} at most; wait for it`]
      : []),
  ];
}
