// Follows an execution of the workflow: a line on stderr for each state that does something, until it has ended.
import type { Execution, Happening, Workflow } from '../../shared/aws/step-functions/workflow.ts';
import { toFault } from '../../shared/fault.ts';
import type { FailoverOrder } from '../../shared/forced-failover/order.ts';
import { complaintOf } from '../command/aws-errors.ts';
import { CliError, status } from '../command/exit.ts';
import { hint } from '../command/hint.ts';
import type { NodeNames } from '../command/node/names.ts';
import { type Output, plain } from '../command/output.ts';
import type { Session } from '../command/session.ts';
import { breakGlassWay } from '../command/vip/way-left.ts';

/** A state that a function does takes seconds; Step Functions repeats one that fails for minutes without a word. */
const STUCK_AFTER_MS = 30_000;
/** States that wait for a person, a node or the SSM agent. */
const waiting: ReadonlySet<string> = new Set([
  'requestApproval',
  'demote',
  'awaitClaim',
  'release',
  'awaitRelease',
]);

const LOOK_EVERY_MS = 500;
/** It waits for a person: a moment more does no harm, and AWS counts the calls. */
const LOOK_SELDOM_MS = 3000;
const SELDOM_AFTER_MS = 120_000;
/** The workflow ends by itself after two hours (TimeoutSeconds). */
const LOOKS_MAX = 5000;

export const followOn = (name: string): string => hint(`failover --follow ${name}`);

export async function follow(
  session: Session,
  workflow: Workflow,
  out: Output,
  name: string,
): Promise<Execution> {
  const how = followOn(name);
  const since = session.now();
  let seen = 0;
  let last = { atMs: since, state: '', isSaid: false };
  try {
    for (let look = 1; look <= LOOKS_MAX; look++) {
      // In this order: what happened before its end is told before its end.
      const execution = await workflow.describe(name);
      // Right after its start it may not be found yet.
      const news = execution === undefined ? [] : await workflow.happenings(name, seen);
      for (const happening of news) tell({ session, out }, happening, execution);
      seen = news.at(-1)?.id ?? seen;
      const state = news.findLast(({ entered }) => entered !== undefined)?.entered ?? last.state;
      if (news.length > 0) last = { atMs: session.now(), state, isSaid: false };
      else if (!last.isSaid && !waiting.has(state) && session.now() - last.atMs >= STUCK_AFTER_MS) {
        last = { ...last, isSaid: true };
        out.note(stuckText(execution?.input ?? {}));
      }
      if (execution !== undefined && execution.state !== 'running') return execution;
      const seldom = session.now() - since > SELDOM_AFTER_MS;
      await new Promise((resolve) => setTimeout(resolve, seldom ? LOOK_SELDOM_MS : LOOK_EVERY_MS));
    }
  } catch (error) {
    const fault = toFault(error);
    if (fault.kind === 'bug') {
      out.note(`Stopped following ${name} (it is still running): ${how}`);
      throw error;
    }
    const why = complaintOf(error)?.message ?? fault.message;
    throw new CliError(`Stopped following ${name} (it is still running): ${why}`, how, status.aws, error);
  }
  throw new CliError(`${name} has not ended within its time limit`, how, status.aws);
}

function tell(
  { session: { names }, out }: { session: Session; out: Output },
  { atMs, entered, fault }: Happening,
  execution: Execution | undefined,
): void {
  const at = `${(Math.max(0, atMs - (execution?.startedAtMs ?? atMs)) / 1000).toFixed(1)} s`.padStart(8);
  if (fault !== undefined) out.note(`${at}  that failed: ${names.text(fault.slice(0, 500))}`);
  const words = entered === undefined ? undefined : wordsOf(entered, inWords(execution?.input ?? {}, names));
  if (words !== undefined) out.note(`${at}  ${plain(words)}`);
}

/** It may still come: break-glass ends the order itself before it begins. */
function stuckText({ vip, to, reason }: Partial<FailoverOrder>): string {
  const way = breakGlassWay({ vip: vip ?? 'VIP', to: to ?? 'NODE', reason });
  return `no progress for ${STUCK_AFTER_MS / 1000} s; if Lambda does not answer: ${way}`;
}

/** The node that it goes to, with its name. */
const inWords = (input: Execution['input'], names: NodeNames): Execution['input'] => ({
  ...input,
  to: names.text(String(input.to)),
});

/** Undefined for states that only choose. */
export function wordsOf(state: string, input: Execution['input']): string | undefined {
  const [vip, to] = [String(input.vip), String(input.to)];
  const words: Readonly<Record<string, string>> = {
    preflight: `checking whether ${vip} can move to ${to}`,
    requestApproval: `waiting up to 1 h for: ${hint(`approve ${vip}`)}, or ${hint(`deny ${vip} --reason …`)}`,
    recordDecision: 'answered; recording who answered',
    lookAgain: `checking again whether ${vip} can move to ${to}`,
    recordOrder: 'recording the order',
    beginOrder: `marking ${vip} as under way, if nothing has changed`,
    demote: 'demoting the master with keepalived’s tracked file (SSM)',
    awaitClaim: `waiting for ${to} to report MASTER`,
    switchVip: 'moving routes and EIPs',
    verify: 'reading EC2 back',
    judgeRelease: 'checking whether the demotion can be undone',
    release: 'undoing the demotion (SSM)',
    awaitRelease:
      'waiting until the node is standby, and checking that keepalived does not take the VIP back',
    promote: 'rolling back: undoing the demotion (SSM)',
    switchBack: 'rolling back: removing the pin and following the election',
    notify: 'sending the notification',
  };
  return words[state];
}
