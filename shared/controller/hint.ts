// A hint: AWS reports something that may concern a VIP: an instance stopped or started, or someone other than the
// controller changed a route, an address or a tag. It shortens the wait for the next reconcile, and names who it was.
//
// Invariant: a hint never moves a VIP by itself. It only has reconcile look now; and an instance that EC2 calls stopped
// counts as STOP if the node has said nothing since, so that its last word does not keep the VIP on a dead host.
// Limit: hints may be late, repeated or missing (CloudTrail delivers in minutes, if a trail exists). Nothing rests on them.
import { type EpochMs, epochMs, iso } from '../time.ts';
import { EIP_SUFFIX } from '../vip/member.ts';
import { withdrawn } from '../vip/node-state.ts';
import { compareAndSet, type VipStore } from '../vip/store.ts';
import type { Vip } from '../vip/vip.ts';

/** An instance changed its state. */
export interface NodeHint {
  readonly kind: 'node';
  readonly node: string;
  /** EC2's own word: running, stopping, stopped, shutting-down, terminated. */
  readonly state: string;
  readonly atMs: EpochMs;
}

/** Someone other than the controller changed something. */
export interface Change {
  readonly kind: 'change';
  /** The event's id. */
  readonly id: string;
  /** The caller's ARN. */
  readonly by: string;
  /** EC2's action. */
  readonly call: string;
  readonly destinations: readonly string[];
  /** Route tables, ENIs, allocation ids. */
  readonly things: readonly string[];
  /** Values of the stage's tag that were set or taken away. */
  readonly labels: readonly string[];
  readonly atMs: EpochMs;
}

export type Hint = NodeHint | Change;

/** Keeps who changed what, so that a reconcile that finds the drift can name them. */
export interface ChangeLog {
  /** Put if absent. */
  note(vip: string, change: Change): Promise<void>;
  /** Newest first, a few at most. */
  since(vip: string, atMs: EpochMs): Promise<readonly Change[]>;
}

export function concerns(hint: Hint, vip: Vip): boolean {
  if (vip.removedAtMs !== undefined) return false;
  if (hint.kind === 'node') return vip.members[hint.node] !== undefined;
  const members = Object.values(vip.members);
  const own = new Set([...vip.eips, ...members.flatMap((m) => [m.eni, m.eipEni ?? m.eni])]);
  const labels = [...vip.tableLabels, ...vip.nodeLabels, ...vip.nodeLabels.map((l) => l + EIP_SUFFIX)];
  return (
    hint.destinations.some((d) => vip.addresses.includes(d)) ||
    hint.things.some((thing) => own.has(thing)) ||
    hint.labels.some((label) => labels.includes(label)) ||
    // It names only the association, which is gone and cannot be looked up.
    (hint.call === 'DisassociateAddress' && vip.eips.length > 0) ||
    (namesNoVip.has(hint.call) && vip.addresses.length > 0)
  );
}

/** They name an attachment, an association, or a table, none of which the item knows: any VIP may be meant. */
const namesNoVip = new Set([
  'DeleteRouteTable',
  'DetachNetworkInterface',
  'DisassociateRouteTable',
  'ReplaceRouteTableAssociation',
]);

/** EC2 stamps whole seconds, rounded down. */
const STAMP_MS = 999;
const gone = new Set(['stopping', 'stopped', 'shutting-down', 'terminated']);

/** The VIP with the node's report withdrawn, or the same object when the node has reported since or withdrew itself. */
export function withStopped(vip: Vip, hint: Hint): Vip {
  if (hint.kind !== 'node' || !gone.has(hint.state)) return vip;
  const nodeState = vip.claims[hint.node];
  const standing = nodeState?.state === 'MASTER' || nodeState?.state === 'BACKUP';
  if (nodeState === undefined || !standing || nodeState.seenMs > hint.atMs + STAMP_MS) return vip;
  // What it said before it stopped, and what comes only now, must not bring it back.
  const word = withdrawn(nodeState, epochMs(hint.atMs + STAMP_MS));
  return { ...vip, claims: { ...vip.claims, [hint.node]: word } };
}

const RACES_MAX = 10;

/** Records that a node is gone. What cannot be recorded is left to silence. */
export async function applyHint(vips: VipStore, name: string, hint: Hint): Promise<Vip | undefined> {
  const from = await vips.read(name);
  const stopped = (vip: Vip | undefined) => (vip === undefined ? undefined : withStopped(vip, hint));
  return (await compareAndSet(vips, { name, from, racesMax: RACES_MAX }, stopped)).item;
}

export const changeText = ({ by, call, things, destinations, atMs }: Change): string =>
  `${[call, ...things, ...destinations].join(' ')} by ${by} at ${iso(atMs)}`;
