// The second way in: a claim as the body of a signed request to the function URL of `failover`. Lambda checks the signature
// and says who signed; a claim or a rejection comes out, and an answer as an HTTP status. Never throws, whatever comes.
//
// Invariant: what decides who spoke is what Lambda says of the caller (`requestContext.authorizer.iam`), never the body. It
// becomes the source that a node has on the bus, so both ways are judged by one rule (vip/admission.ts).
// Limit: who may invoke the function itself, and not by its URL, can write this envelope as they like; IAM alone keeps them out.

import * as z from 'zod/mini';
import { defined } from '../../optional.ts';
import { epochMs } from '../../time.ts';
import { type RejectReason, SOURCE_PREFIX } from '../../vip/admission.ts';
import { malformed, type Names, namesIn, type Parsed, parseDetail, refused } from './claim-event.ts';

const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));

/** Format 2.0 of the function URL's request, as far as it is read. A call that no one signed has no `iam`. */
const envelope = z.object({
  requestContext: z.object({
    requestId: text(128),
    timeEpoch: z.int().check(z.minimum(0), z.maximum(8.64e15)),
    http: z.object({ method: text(16) }),
    authorizer: z.optional(
      z.object({ iam: z.object({ accountId: text(64), userArn: text(2048), userId: text(256) }) }),
    ),
  }),
  body: z.optional(z.string()),
  isBase64Encoded: z.optional(z.boolean()),
});

type DirectCall = z.infer<typeof envelope>;

/** An event of the bus has no such field: EventBridge makes the envelope, and a sender fills `detail` alone. */
export const isDirectCall = (event: unknown): boolean =>
  typeof event === 'object' && event !== null && 'requestContext' in event;

/** A claim has some 500 bytes. */
export const BODY_MAX = 8192;

export function parseDirectCall(event: unknown): Parsed {
  const outer = envelope.safeParse(event);
  if (!outer.success) return malformed(namesIn(undefined), outer.error);
  const { requestContext: call } = outer.data;
  const said = bodyOf(outer.data);
  const names = namesIn({ id: call.requestId, detail: said });
  if (call.http.method !== 'POST') return notAClaim(names, `method is ${call.http.method}, expected POST`);
  if (said === undefined)
    return notAClaim(names, `body is no JSON object of at most ${BODY_MAX} bytes, expected one claim`);
  const source = sourceOf(call);
  if ('message' in source) return refused(names, { reason: 'foreign-source', message: source.message });
  const taken = { timeMs: epochMs(call.timeEpoch), eventId: call.requestId, way: 'direct' } as const;
  return parseDetail(said, taken, source.source);
}

const notAClaim = (names: Names, message: string): Parsed => refused(names, { reason: 'malformed', message });

function bodyOf({ body = '', isBase64Encoded = false }: DirectCall): object | undefined {
  if (body.length > 2 * BODY_MAX) return undefined;
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > BODY_MAX) return undefined;
  try {
    const said: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof said === 'object' && said !== null && !Array.isArray(said) ? said : undefined;
  } catch {
    return undefined;
  }
}

const session = /^arn:aws[a-z-]*:sts::(\d{12}):assumed-role\/[^/]+\/([^/]+)$/;

/** The source that the caller has on the bus: its user id, which an instance's role has as `<role id>:<instance id>`. */
function sourceOf({
  authorizer,
}: DirectCall['requestContext']): { readonly source: string } | { readonly message: string } {
  if (authorizer === undefined)
    return { message: 'no one signed the call, expected a function URL with AWS_IAM' };
  const { accountId, userArn, userId } = authorizer.iam;
  const [, account, name] = session.exec(userArn) ?? [];
  if (account !== accountId || name === undefined || !userId.endsWith(`:${name}`)) {
    return {
      message: `caller is ${userArn} (${userId}) of account ${accountId}, expected the session of an instance's role`,
    };
  }
  return { source: SOURCE_PREFIX + userId };
}

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON: `answer`, and of a rejection its `reason`. */
  readonly body: string;
}

/** Delivered again it would be no better: 4xx, which no one repeats. Whatever is thrown Lambda answers with a 5xx. */
const refusals: Readonly<Record<RejectReason, number>> = {
  malformed: 400,
  'from-the-future': 400,
  'foreign-source': 403,
  'foreign-role': 403,
  'foreign-node': 403,
  'unknown-vip': 404,
  'not-a-member': 404,
  // It is counted, and that was all it was sent for.
  superseded: 200,
};

export const httpAnswer = (said: {
  readonly answer: string;
  readonly reason?: RejectReason;
}): HttpAnswer => ({
  statusCode: said.reason === undefined ? 200 : refusals[said.reason],
  // The shim reads no body.
  headers: { 'content-type': 'application/json', ...defined({ 'vipshift-reason': said.reason }) },
  body: JSON.stringify(said),
});
