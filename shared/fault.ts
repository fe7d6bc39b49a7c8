// What can go wrong when a port is used, in the domain's words. AWS error codes are spelled only in aws/error-codes.ts.
//
// The one distinction that everything else rests on: after `unknown` and `bug` the request may have had its effect, or may
// still have it; after every other kind it had none.

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
  /**
   * A mistake in our own code, such as a TypeError in a port. Never repeated, and never taken for an answer of AWS; it has a
   * metric and a log line of its own, and whatever else was under way goes on.
   */
  'bug',
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

/** Whether the request may have had its effect, or may still have it. */
export const mayHaveHappened = (kind: FaultKind): boolean => kind === 'unknown' || kind === 'bug';

/** The names of the errors that the language and `node:assert` throw when code is wrong. */
const programmingErrors: ReadonlySet<string> = new Set([
  'TypeError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'EvalError',
  'URIError',
  'AssertionError',
]);

export const isProgrammingError = (error: unknown): error is Error =>
  error instanceof Error && programmingErrors.has(error.name);

/** Whatever was thrown, as a Fault. An unforeseen one counts as unknown: the request may have had its effect. */
export function toFault(error: unknown): Fault {
  if (isFault(error)) return error;
  const name = error instanceof Error ? error.name : 'Error';
  const text = error instanceof Error ? error.message : String(error);
  const kind = isProgrammingError(error) ? 'bug' : 'unknown';
  return new Fault(kind, name, readable(text, MESSAGE_MAX), error);
}

/** The stack of what was thrown first: a Fault's own says only where it was classified. */
export function stackOf(error: unknown): string {
  const first = isFault(error) && error.cause instanceof Error ? error.cause : error;
  return first instanceof Error ? (first.stack ?? first.message) : String(first);
}

/** For a caller that goes on after a fault: a bug is thrown, since going on would only repeat it. */
export function toleratedFault(error: unknown): Fault {
  const fault = toFault(error);
  if (fault.kind === 'bug') throw fault;
  return fault;
}
