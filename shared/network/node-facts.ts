// Nodes as people know them: the instance's Name tag, zone and private address, next to its id; and the node that a person names
// by one of these. Pure.
//
// Limit: a Name tag is what someone wrote, and need not be unique. Programs go by the id.

import { cut } from '../bounded.ts';
import { defined } from '../optional.ts';
import type { Member } from '../vip/member.ts';
import type { HostStates } from './observation.ts';

export interface NodeFacts {
  /** EC2 instance id. */
  readonly node: string;
  /** The tag Name. */
  readonly name?: string;
  /** Availability zone. */
  readonly zone?: string;
  readonly privateAddress?: string;
  readonly privateDnsName?: string;
  /** EC2's name of the instance's state: `running`, `stopped`, … */
  readonly state?: string;
}

/** By id. */
export type Nodes = ReadonlyMap<string, NodeFacts>;

const NAME_MAX = 64;

/** `node-a (i-0abc…)`; the id alone where there is no name. */
export function nodeText(node: string, nodes: Nodes): string {
  const name = nodes.get(node)?.name;
  return name === undefined ? node : `${cut(name, NAME_MAX)} (${node})`;
}

/** `node-a (i-0abc…, eu-central-1a, 10.0.1.10)`: with all that is known. */
export function nodeInFull(node: string, nodes: Nodes): string {
  const { name, zone, privateAddress } = nodes.get(node) ?? {};
  const [first = node, ...beside] = [
    name === undefined ? undefined : cut(name, NAME_MAX),
    node,
    zone,
    privateAddress,
  ].filter((part) => part !== undefined);
  return beside.length === 0 ? first : `${first} (${beside.join(', ')})`;
}

const ID = /(?<![\w-])i-[0-9a-z]+(?![\w-])/g;

/** The instance ids in a sentence. */
export const idsIn = (sentence: string): readonly string[] =>
  (sentence.match(ID) ?? []).filter((id) => /^i-[0-9a-f]{8,17}$/.test(id));

/** A sentence for people with each id that has a name replaced by both, once. Not for commands: they go by the id. */
export const withNames = (sentence: string, nodes: Nodes): string =>
  sentence.replace(ID, (node, at: number) => {
    const isNamed = sentence.slice(0, at).endsWith(`${shortName(node, nodes)} (`);
    return isNamed ? node : nodeText(node, nodes);
  });

/** The same with the names alone, where the ids are said next to it. */
export const withShortNames = (sentence: string, nodes: Nodes): string =>
  sentence.replace(ID, (node) => shortName(node, nodes));

/** The name, else the id. */
export const shortName = (node: string, nodes: Nodes): string => cut(nodes.get(node)?.name ?? node, NAME_MAX);

/** What the registry knows of members: their zones. EC2's answer goes before it. */
export function factsOfMembers(members: Iterable<Member>, fromEc2: Nodes): Nodes {
  const facts = new Map<string, NodeFacts>();
  for (const { node, zone } of members) facts.set(node, { node, ...defined({ zone: zone || undefined }) });
  for (const [node, found] of fromEc2) facts.set(node, { ...facts.get(node), ...found });
  return facts;
}

/** Undefined where EC2 was not asked, or did not tell. */
export const hostStates = (fromEc2: Nodes | undefined): HostStates | undefined =>
  fromEc2 === undefined
    ? undefined
    : new Map([...fromEc2].map(([node, { state = 'unknown' }]) => [node, state]));

export type Chosen =
  | { readonly is: 'one'; readonly node: string }
  | { readonly is: 'none' }
  | { readonly is: 'several'; readonly nodes: readonly string[] };

/** The node that this text names among the candidates: an id, or a name, private address, DNS name or zone that only one has. */
export function chosenNode(text: string, candidates: Iterable<NodeFacts>): Chosen {
  const all = [...candidates];
  if (all.some(({ node }) => node === text)) return { is: 'one', node: text };
  const typed = text.toLowerCase();
  const found = all.filter(
    ({ name, zone, privateAddress, privateDnsName: dns = '' }) =>
      name === text ||
      zone === typed ||
      privateAddress === typed ||
      (typed !== '' && [dns, dns.split('.')[0]].includes(typed)),
  );
  const [first, ...others] = found;
  if (first === undefined) return { is: 'none' };
  if (others.length === 0) return { is: 'one', node: first.node };
  return { is: 'several', nodes: found.map(({ node }) => node).sort() };
}
