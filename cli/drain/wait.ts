// Waits until drained nodes own nothing, and says of each VIP where it is, or why it stays.
import { defined, ifDefined } from '../../shared/optional.ts';
import { isRegistered } from '../../shared/registry/registry.ts';
import { type DurationMs, iso, minutes, plus, seconds } from '../../shared/time.ts';
import { hint } from '../command/hint.ts';
import type { Output } from '../command/output.ts';
import type { Session } from '../command/session.ts';
import { eachVip } from './nodes.ts';
import { outlookText, type Prospect, targetOf } from './outlook.ts';

/** `execution`: of the forced failover that demotes its master. */
export type Moving = Prospect & { readonly execution?: string };

interface Waiting {
  readonly nodes: readonly string[];
  readonly detach: boolean;
}

/** The next reconcile comes within a minute; the rest is the switch itself, which waits behind other VIPs' failovers. */
const CONTROLLER_WITHIN: DurationMs = minutes(3);
/** A forced failover waits for keepalived, reads EC2 back, and waits until the demoted node stands by. */
const WORKFLOW_WITHIN: DurationMs = minutes(10);
const LOOK_EVERY: DurationMs = seconds(2);

/** By now, or soon, as things stand. */
export const isLeft = ({ outlook }: Prospect): boolean =>
  outlook.key === 'clear' || targetOf(outlook) !== undefined;

/** How many VIPs the nodes still own. */
export async function emptied(
  { session, out }: { readonly session: Session; readonly out: Output },
  moving: readonly Moving[],
  { nodes, detach }: Waiting,
): Promise<number> {
  const began = session.now();
  const telling = { out, nodes };
  const stays = moving.filter((one) => !isLeft(one));
  let pending = moving.filter(isLeft);
  for (const one of stays) tell(telling, one, one.vip.owner, outlookText(one));
  for (const { execution } of pending)
    if (execution !== undefined) out.note(`follow it: ${hint(`failover --follow ${execution}`)}`);
  if (detach) {
    for (const one of pending) tell(telling, one, one.vip.owner, outlookText(one));
    return stays.length;
  }
  let failed = 0;
  while (pending.length > 0) {
    const looked = await eachVip(
      pending.map(({ vip }) => vip.name),
      (name) => look(session, pending.find(({ vip }) => vip.name === name)!, nodes),
    );
    const isLate = ({ execution }: Moving) =>
      session.now() >= plus(began, execution === undefined ? CONTROLLER_WITHIN : WORKFLOW_WITHIN);
    const ended = looked.filter(({ one, is }) => is !== 'moving' || isLate(one));
    for (const { one, is, owner, epoch } of ended) {
      if (is === 'gone')
        tell(telling, one, owner, `${one.vip.name} is at ${owner ?? 'no node'}, epoch ${epoch}`);
      else
        tell(telling, one, owner, `${one.vip.name} is still at ${owner}: ${hint(`status ${one.vip.name}`)}`);
      if (is !== 'gone') failed += 1;
    }
    pending = looked.filter((of) => !ended.includes(of)).map(({ one }) => one);
    if (pending.length > 0) await session.ports.clock.wait(LOOK_EVERY);
  }
  return stays.length + failed;
}

interface Telling {
  readonly out: Output;
  readonly nodes: readonly string[];
}

interface Looked {
  readonly one: Moving;
  readonly is: 'moving' | 'gone' | 'failed';
  readonly owner: string | undefined;
  readonly epoch: number;
}

/** Gone when a switch away from the nodes has been committed; failed when the workflow has ended and it has not. */
async function look(session: Session, one: Moving, nodes: readonly string[]): Promise<Looked> {
  const ended = one.execution !== undefined && (await hasEnded(session, one.execution));
  const item = await session.ports.vips.read(one.vip.name);
  const owner = item?.owner;
  const seen = { one, owner, epoch: item?.epoch ?? 0 };
  if (!isRegistered(item)) return { ...seen, is: 'gone' };
  const isGone = owner === undefined || !nodes.includes(owner);
  if (isGone && (one.execution === undefined || ended)) return { ...seen, is: 'gone' };
  return { ...seen, is: ended ? 'failed' : 'moving' };
}

async function hasEnded(session: Session, execution: string): Promise<boolean> {
  const found = await (await session.workflow()).describe(execution);
  // Right after its start it may not be found yet.
  return found !== undefined && found.state !== 'running';
}

function tell({ out, nodes }: Telling, one: Moving, owner: string | undefined, text: string): void {
  const { vip, outlook, execution } = one;
  if (!out.json) out.line(text);
  else {
    const drained = nodes.filter((node) => vip.drains?.[node] !== undefined);
    const until = ifDefined(vip.drains?.[drained[0] ?? '']?.untilMs, iso);
    const told = defined({ until, from: vip.owner, owner, execution });
    out.document({ vip: vip.name, nodes: drained, ...told, outlook });
  }
}
