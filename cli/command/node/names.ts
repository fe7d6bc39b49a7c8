// The names of nodes for one run of a command: looked up when they are needed, in a request for each 200 of them, and known from
// then on.
//
// Invariant: names only help to read. EC2 that does not answer, or does not allow it, leaves the ids and zones that the registry
// has, and is said; nothing waits longer than NAMES_WITHIN_MS for it.
import type { Ec2Reader } from '../../../shared/aws/ec2/vpc.ts';
import { toleratedFault } from '../../../shared/fault.ts';
import {
  factsOfMembers,
  idsIn,
  type NodeFacts,
  type Nodes,
  withNames,
} from '../../../shared/network/node-facts.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { type Output, plain } from '../output.ts';

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
  readonly ids?: Iterable<string | undefined>;
}

export interface NodeNames {
  /** Never fails for want of an answer. */
  lookUp(asked: NodesAsked): Promise<NodesFound>;
  /** The same, with a note where there are only ids. */
  learn(asked: NodesAsked, out: Output): Promise<NodesFound>;
  /** All that was looked up so far. */
  known(): Nodes;
  /** A sentence for people with the names that are known, safe for a terminal. Not for commands. */
  text(sentence: string): string;
  /** The same, with the nodes that it is about looked up first. Never fails for want of an answer. */
  textOf(sentence: string): Promise<string>;
}

export function nodeNames(ec2: Ec2Reader): NodeNames {
  const known = new Map<string, NodeFacts>();
  const lookUp = async (asked: NodesAsked): Promise<NodesFound> => {
    const found = await lookedUp(ec2, asked);
    for (const [node, facts] of found.nodes) known.set(node, facts);
    return found;
  };
  return {
    lookUp,
    async learn(asked, out) {
      const found = await lookUp(asked);
      if (found.problem !== undefined) out.note(plain(found.problem));
      return found;
    },
    known: () => known,
    text: (sentence) => plain(withNames(sentence, known)),
    async textOf(sentence) {
      const ids = idsIn(sentence).filter((id) => !known.has(id));
      if (ids.length > 0) await lookUp({ ids });
      return plain(withNames(sentence, known));
    },
  };
}

async function lookedUp(ec2: Ec2Reader, { vips = [], ids = [] }: NodesAsked): Promise<NodesFound> {
  const members = vips.flatMap((vip) => Object.values(vip.members));
  const all = new Set([...members.map(({ node }) => node), ...ids]);
  all.delete(undefined);
  const asked = [...(all as Set<string>)].sort();
  const none: Nodes = new Map();
  if (asked.length === 0) return { nodes: none, instances: none };
  try {
    const { nodeFacts } = await import('../../../shared/aws/ec2/node-facts.ts');
    const signal = AbortSignal.any([ec2.signal, AbortSignal.timeout(NAMES_WITHIN_MS)]);
    const instances = await nodeFacts({ ...ec2, signal }, asked);
    return { nodes: factsOfMembers(members, instances), instances };
  } catch (error) {
    const why = toleratedFault(error).message;
    const problem = `nodes are shown by their ids: EC2 did not tell their names (${why})`;
    return { nodes: factsOfMembers(members, none), instances: undefined, problem };
  }
}
