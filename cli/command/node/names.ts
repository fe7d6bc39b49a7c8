// The names of nodes for one run of a command: looked up once, in a request for each 200 of them.
//
// Invariant: names only help to read. EC2 that does not answer, or does not allow it, leaves the ids and zones that the registry
// has, and is said once; nothing waits longer than NAMES_WITHIN_MS for it.
import { toleratedFault } from '../../../shared/fault.ts';
import { factsOfMembers, type Nodes } from '../../../shared/network/node-facts.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { type Output, plain } from '../output.ts';
import type { Session } from '../session.ts';

/** In an outage of EC2 an operator has to go on. */
const NAMES_WITHIN_MS = 5000;

export interface NodesFound {
  /** With names where EC2 told them, else ids and zones. */
  readonly nodes: Nodes;
  /** What EC2 told; undefined where it did not. */
  readonly instances: Nodes | undefined;
  /** Why there are only ids. */
  readonly problem?: string;
}

export interface NodesAsked {
  readonly vips?: readonly Pick<Vip, 'members'>[];
  readonly ids?: Iterable<string>;
}

export async function lookUpNodes(
  { ec2 }: Pick<Session, 'ec2'>,
  { vips = [], ids = [] }: NodesAsked,
): Promise<NodesFound> {
  const members = vips.flatMap((vip) => Object.values(vip.members));
  const asked = [...new Set([...members.map(({ node }) => node), ...ids])].sort();
  const none: Nodes = new Map();
  if (asked.length === 0) return { nodes: none, instances: none };
  try {
    const { nodeFacts } = await import('../../../shared/aws/ec2/node-facts.ts');
    const signal = AbortSignal.any([ec2.signal, AbortSignal.timeout(NAMES_WITHIN_MS)]);
    const instances = await nodeFacts({ ...ec2, signal }, asked);
    return { nodes: factsOfMembers(members, instances), instances };
  } catch (error) {
    const problem = `nodes are shown by their ids: EC2 did not tell their names (${toleratedFault(error).message})`;
    return { nodes: factsOfMembers(members, none), instances: undefined, problem };
  }
}

/** And says it where there are only ids. */
export async function nodesFor(session: Session, out: Output, asked: NodesAsked): Promise<Nodes> {
  const { nodes, problem } = await lookUpNodes(session, asked);
  if (problem !== undefined) out.note(plain(problem));
  return nodes;
}
