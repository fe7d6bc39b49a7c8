// A node whose shim knows both ways, the bus and the function URL. Registers its own hook.
import { afterEach } from 'vitest';
import type { Detail, VrrpEvent } from '../../../lab/shim/bus.ts';
import { type Node, startNode } from '../../../lab/shim/node.ts';

export let node: Node;

export const stopsAfterEach = (): void => {
  afterEach(() => node.stop());
};

export async function start(config: Record<string, string | number> = {}): Promise<Node> {
  node = await startNode(config);
  return node;
}

export const both = (config: Record<string, string | number> = {}): Promise<Node> =>
  start({ direct: 'on', ...config });
export const onTheBus = (): VrrpEvent[] => node.bus.claims('transition');
export const ofKind = (kind: string): Detail[] => node.direct.taken.filter((detail) => detail.kind === kind);
export const busIsDown = (): void => {
  node.bus.fate = () => ({ kind: 'status', status: 503 });
};
export const busIsBack = (): void => {
  node.bus.fate = () => ({ kind: 'accept' });
};
