/**
 * Claims as they pass the event bus's endpoint: what each node sent, and when it was complete there.
 */
import type { Exchange } from '../cloud/recording-proxy.ts';

export interface SentClaim {
  readonly atMs: number;
  readonly node: string;
  readonly state: string;
  readonly kind: string;
  readonly seq: number;
  readonly superseded: boolean;
  /** The entry as the shim sent it, for a replay. */
  readonly entry: unknown;
}

interface Entry {
  readonly Detail: string;
}

/** The claims of one PutEvents request; none for any other request. */
export function claimsOf(exchange: Exchange): SentClaim[] {
  if (exchange.action !== 'PutEvents') return [];
  const { Entries } = JSON.parse(exchange.body) as { Entries: Entry[] };
  return Entries.map((entry) => {
    const detail = JSON.parse(entry.Detail) as Pick<
      SentClaim,
      'node' | 'state' | 'kind' | 'seq' | 'superseded'
    >;
    return {
      atMs: exchange.askedMs,
      node: detail.node,
      state: detail.state,
      kind: detail.kind,
      seq: detail.seq,
      superseded: detail.superseded,
      entry,
    };
  });
}

/** The claims that the bus has accepted, in order of their arrival. */
export function acceptedClaims(exchanges: readonly Exchange[]): SentClaim[] {
  return exchanges.filter(({ status }) => status === 200).flatMap(claimsOf);
}
