// What can go wrong when a port is used, in the domain's words. AWS error codes are spelled only in aws/codes.ts.
//
// The one distinction that everything else rests on: after `unknown` the request may have had its effect, or may still
// have it; after every other kind it had none.

import { MESSAGE_MAX, readable } from './bounded.ts';

export const faultKinds = [
  /** No reply, a cut connection, a 5xx: the effect is unknown and may still land. */
  'unknown',
  /** Over a rate limit; not carried out. */
  'throttled',
  /** IAM or the owner refuses; trying again changes nothing. */
  'denied',
  /** The table, ENI or EIP that the request names does not exist. */
  'gone',
  /** ReplaceRoute found no such route: CreateRoute instead. */
  'no-route',
  /** CreateRoute found the route there already: ReplaceRoute instead. */
  'route-exists',
  /** The thing is between two states (an instance that is starting): may succeed later. */
  'not-ready',
  /** Too little lease was left to start the attempt: nothing was sent. */
  'lease-short',
  /** The invocation's own time ran out while waiting: nothing was sent. */
  'deadline',
  /** Everything else that the service refuses: malformed, unsupported, over a quota. */
  'refused',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export class Fault extends Error {
  override readonly name = 'Fault';
  readonly kind: FaultKind;
  /** The service's own code, as it was received: for the record and for a search engine. */
  readonly code: string;
  constructor(kind: FaultKind, code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.code = code;
  }
}

export const isFault = (error: unknown): error is Fault => error instanceof Fault;

/** Whether an attempt that ended so may be repeated within the same lease. */
export const isWorthRetrying = (kind: FaultKind): boolean =>
  kind === 'unknown' || kind === 'throttled' || kind === 'not-ready';

/** Whatever was thrown, as a Fault. What nobody foresaw counts as unknown: the request may have had its effect. */
export function faultOf(error: unknown): Fault {
  if (isFault(error)) return error;
  const name = error instanceof Error ? error.name : 'Error';
  const text = error instanceof Error ? error.message : String(error);
  return new Fault('unknown', name, readable(text, MESSAGE_MAX), error);
}
