// The node that an option names: an instance id, or a Name tag, private address, private DNS name or zone that only one of the
// VIP's nodes has.
//
// Invariant: a text that names no node or several is refused, with the choices. An id is taken as it is, whether or not EC2
// answers; whether it may own the VIP is judged afterwards.

import { InvalidArgumentError } from 'commander';
import { chosenNode, nodeInFull } from '../../../shared/network/node-facts.ts';
import { refused } from '../exit.ts';
import { hint } from '../hint.ts';
import type { NodesFound } from './names.ts';

/** What the option's help calls it. */
export const NODE_WORDS =
  'instance id, Name tag, private address, private DNS name, or zone if it has one node';

const ID = /^i-[0-9a-f]{8,17}$/;
const TEXT_MAX = 255;

/** What a command line alone can be wrong about. */
export function nodeFrom(text: string): string {
  if (text.trim() !== '' && text.length <= TEXT_MAX) return text.trim();
  throw new InvalidArgumentError(`expected ${NODE_WORDS}.`);
}

export const isInstanceId = (text: string): boolean => ID.test(text);

/** `option`: such as `--to`. `of`: whose nodes these are, such as `web`. */
export function nodeNamed(text: string, { nodes, problem }: NodesFound, option: string, of: string): string {
  const chosen = chosenNode(text, nodes.values());
  if (chosen.is === 'one') return chosen.node;
  if (isInstanceId(text)) return text;
  const choices = (ids: readonly string[]) => ids.map((node) => `  ${nodeInFull(node, nodes)}`).join('\n');
  if (chosen.is === 'several')
    throw refused(
      `${option} ${text}: ${chosen.nodes.length} nodes of ${of} are called so:\n${choices(chosen.nodes)}`,
      'name one by its id or private address',
    );
  if (nodes.size === 0)
    throw refused(
      `${option} ${text}: no node of ${of} is known`,
      `the registry names none yet: ${hint(`doctor`)}`,
    );
  const known = choices([...nodes.keys()].sort());
  const unknown = problem === undefined ? '' : `; ${problem}`;
  throw refused(
    `${option} ${text}: no node of ${of} is called so${unknown}. They are:\n${known}`,
    `expected one of their ids, Name tags, private addresses, private DNS names, or a zone with one node`,
  );
}
