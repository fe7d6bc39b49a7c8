// A member of a VIP is a node whose ENI has the VIP's node label. The ENI that carries its Elastic IPs has the
// same label with EIP_SUFFIX, so that the node's own public address on its primary ENI is never touched.

export interface Member {
  /** EC2 instance id: the `node` of claims. */
  readonly node: string;
  /** The ENI that the VIP's routes point to. */
  readonly eni: string;
  /** The ENI whose private addresses carry the VIP's EIPs. */
  readonly eipEni?: string;
  /** Availability zone. */
  readonly zone: string;
}

export const EIP_SUFFIX = ':eip';

/** A VIP has at most this many members; more are reported and left out, by id. */
export const MEMBERS_MAX = 16;

export type Members = Readonly<Record<string, Member>>;

/** Every ENI on which this VIP may lie: what routes and EIPs may be moved away from without asking. */
export const enisOf = (members: Members): ReadonlySet<string> =>
  new Set(Object.values(members).flatMap((m) => (m.eipEni === undefined ? [m.eni] : [m.eni, m.eipEni])));
