// What a checker says when a guarantee did not hold.
export const guarantees = [
  'convergence',
  'order',
  'one writer',
  'no claim lost',
  'nothing stuck',
  'true record',
  'scope',
  'never worse',
  'no gap',
  // Not one of the nine, and no less to be kept: pin, freeze and forced failover.
  'orders',
  // Nor this: when a VIP's nodes are shut out a sweep reports it, and only then.
  'silence told',
  // Nor this one: a node whose identity someone else has is heard all the same.
  'no node silenced',
  // Nor this: a mistake in our own code costs one cell, once, and the record has its name.
  'bugs contained',
  // Nor this: a node that flaps is damped, for as long as it does and a minute more, and people hear of it once.
  'damping',
  // Nor this: a drained node is no target while another is eligible.
  'drained',
  // Nor this: a node that is about to go leaves no VIP without the server that it had.
  'leaving',
  // Nor this: a node of which AWS has warned leaves, and no operator is overruled by it.
  'departures',
  // Nor this: a shim reports all that keepalived wrote, the newest first, and nothing else.
  'reports',
  // Nor this: what comes by two ways survives the invocation that carried it first.
  'second carrier',
] as const;
export type Guarantee = (typeof guarantees)[number];

export interface Violation {
  readonly guarantee: Guarantee;
  readonly vip: string;
  /** Milliseconds since the history began. */
  readonly atMs: number;
  readonly what: string;
}
