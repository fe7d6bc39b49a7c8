// The VIPs of nodes, and the one write by which an override of these nodes changes in each.
//
// Invariant: all nodes of one command change in one write of each VIP's item: none of them is where another one's VIP goes.
import { toFault } from '../../shared/fault.ts';
import { isRegistered, update } from '../../shared/registry/registry.ts';
import {
  type OperatorActionFields,
  type OperatorActionKind,
  onRecord,
} from '../../shared/timeline/operator-action.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import { isInstanceId, nodeNamed } from '../command/node/chosen.ts';
import type { Session } from '../command/session.ts';
import { unknown } from '../command/vip/registered-vip.ts';

/** VIPs that are read or changed at the same time. */
export const AT_ONCE = 8;

export async function eachVip<T>(names: readonly string[], work: (name: string) => Promise<T>): Promise<T[]> {
  const results = new Map<string, T>();
  const queue = [...names];
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift())
      results.set(name, await work(name));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return names.map((name) => results.get(name)!);
}

/** The instances that the words of a command line name, among the nodes of all VIPs, each once. */
export async function nodesNamed(session: Session, words: readonly string[]): Promise<readonly string[]> {
  if (words.every(isInstanceId)) return [...new Set(words)];
  const vips = (await session.ports.vips.list()).filter(isRegistered);
  const found = await session.names.lookUp({ vips });
  return [...new Set(words.map((text) => nodeNamed(text, found, 'node', 'the registry')))];
}

/** Items that concern the nodes, as they are stored now, by name. */
export async function vipsWith(session: Session, concerns: (vip: Vip) => boolean): Promise<readonly Vip[]> {
  const names = (await session.ports.vips.list())
    .filter((vip) => isRegistered(vip) && concerns(vip))
    .map((vip) => vip.name)
    .sort();
  // The list may lag behind.
  const items = await eachVip(names, (name) => session.ports.vips.read(name));
  return items.filter((vip) => isRegistered(vip)).filter(concerns);
}

export interface Order extends Pick<OperatorActionFields, 'by' | 'reason' | 'untilMs'> {
  readonly kind: Extract<OperatorActionKind, 'drain' | 'undrain'>;
  readonly nodes: readonly string[];
}

/** Each node's order is on record before the item changes. `change` may throw to refuse. */
export async function order(
  session: Session,
  name: string,
  { kind, nodes, ...words }: Order,
  change: (vip: Vip) => Vip,
): Promise<Vip> {
  const write = async () =>
    (await update(session.ports.vips, name, (was) => {
      if (!isRegistered(was)) throw unknown(name);
      return change(was);
    }))!;
  const recorded = nodes.reduceRight((work: () => Promise<Vip>, node) => {
    const fields = { vip: name, order: kind, node, ...words, atMs: session.now() };
    return () => onRecord(session, fields, work);
  }, write);
  return recorded();
}

export interface Failed {
  readonly vip: string;
  readonly message: string;
}

/** The others go on; a mistake of ours is thrown when they are done. */
export async function eachOrdered<T>(
  names: readonly string[],
  work: (name: string) => Promise<T>,
): Promise<{ readonly done: readonly T[]; readonly failed: readonly Failed[] }> {
  let bug: unknown;
  const failed: Failed[] = [];
  const results = await eachVip(names, async (name) => {
    try {
      return [await work(name)];
    } catch (error) {
      if (names.length === 1) throw error;
      const fault = toFault(error);
      if (fault.kind === 'bug') bug ??= error;
      failed.push({ vip: name, message: fault.message });
      return [];
    }
  });
  if (bug !== undefined) throw bug;
  return { done: results.flat(), failed };
}
