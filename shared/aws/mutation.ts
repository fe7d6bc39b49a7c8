// One mutation of EC2, without the SDK's middleware for each call. A failover sends one for every table at once, and that
// middleware takes most of a call's CPU: it works out endpoint, user agent and signer again each time, although a client has
// one of each (docs/decisions/0049).
//
// The SDK's middleware runs once for each client. What it would have sent is the pattern of all other requests: each has its
// own body, id, date and signature, by the client's own signer, and goes out by the client's own request handler. Of the
// replies only EC2's plain "true" is read here. Every other outcome is given to the SDK's middleware in place of the network:
// its errors, what they carry, and its correction of the clock are the SDK's.
//
// Invariant: between `maySend` and the socket nothing is awaited (guarantee 3).
// Limits: for members that are texts, booleans or structures of them. No trace header is sent: EC2 passes none on.
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { type EC2Client, ReplaceRouteCommand, type ReplaceRouteCommandInput } from '@aws-sdk/client-ec2';
import type { Clock } from '../time.ts';

export interface Mutation {
  /** As EC2's API reference has it. */
  readonly action: string;
  readonly input: Members;
  /** The same as a command of the SDK, made again by each call. */
  readonly command: () => ReplaceRouteCommand;
}

/** The parameters of an action, under the SDK's names. */
export interface Members {
  readonly [name: string]: string | boolean | Members;
}

export interface Sending {
  readonly clock: Clock;
  /** Called when the request is signed, in the tick in which it goes to the socket. What it throws is thrown, and nothing is sent. */
  readonly maySend: () => void;
  readonly abortSignal: AbortSignal;
}

/** Throws what the SDK throws. */
export async function sendMutation(
  client: EC2Client,
  mutation: Mutation,
  { clock, maySend, abortSignal }: Sending,
): Promise<void> {
  const now = () => awsTime(client, clock);
  const request = await signed(client, mutation, now);
  maySend();
  const reply = await outcomeOf(client, client.config.requestHandler.handle(request, { abortSignal }));
  if (reply.is !== 'read' || !saysTrue(reply, mutation) || !hasOurTime(reply, now()))
    await throughSdk(client, mutation.command(), () => given(reply), { abortSignal });
}

type Signer = Awaited<ReturnType<EC2Client['config']['signer']>>;
type Request = Parameters<Signer['sign']>[0];
interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body: unknown;
}

/** What the SDK's middleware makes of a command, and what of it holds for every call of the client. */
interface Pattern {
  readonly request: Request;
  readonly signer: Signer;
  readonly scope: { readonly signingRegion: string; readonly signingService: string };
}

const patterns = new WeakMap<EC2Client, Promise<Pattern>>();

/** Makes in advance what the first mutation needs; a failure is told by that mutation. */
export function prepareMutations(client: EC2Client): void {
  patternOf(client).catch(() => undefined);
}

/** One that failed, for want of credentials or a Region, is not kept. */
function patternOf(client: EC2Client): Promise<Pattern> {
  const known = patterns.get(client);
  if (known !== undefined) return known;
  const made = makePattern(client);
  patterns.set(client, made);
  made.catch(() => patterns.delete(client));
  return made;
}

/** Signature Version 4: the scope is the access key id, the day, the Region, the service and a fixed word. */
const SCOPE = /Credential=[^,]*\/\d{8}\/([^/,]+)\/([^/,]+)\/aws4_request,/;

async function makePattern(client: EC2Client): Promise<Pattern> {
  let made: Request | undefined;
  // Whichever: its body is all that is its own.
  const command = new ReplaceRouteCommand({ RouteTableId: '' });
  await throughSdk(client, command, async (request) => {
    made = request;
    return { response: { statusCode: 200, headers: {}, body: new Uint8Array() } };
  });
  // What is this one request's own, or its credentials'.
  const {
    authorization,
    'x-amz-content-sha256': _hash,
    'x-amz-security-token': _token,
    ...rest
  } = made!.headers;
  const { 'X-Amzn-Trace-Id': _trace, ...headers } = rest;
  const [, signingRegion, signingName] = SCOPE.exec(String(authorization)) ?? [];
  if (signingRegion === undefined || signingName === undefined)
    throw new TypeError(`found the authorization ${authorization}, expected one of Signature Version 4`);
  const signer = await client.config.signer({ name: 'sigv4', signingRegion, signingName, properties: {} });
  return {
    request: { ...made!, headers },
    signer,
    scope: { signingRegion, signingService: signingName },
  };
}

async function signed(client: EC2Client, { action, input }: Mutation, now: () => Date): Promise<Request> {
  const { request, signer, scope } = await patternOf(client);
  const body = `Action=${action}&Version=${client.config.apiVersion}${membersText(input)}`;
  const headers = {
    ...request.headers,
    'content-length': String(body.length),
    'amz-sdk-invocation-id': randomUUID(),
  };
  return signer.sign({ ...request, headers, body }, { ...scope, signingDate: now() });
}

/** AWS's time, as far as the SDK has learnt it from replies. */
const awsTime = ({ config }: EC2Client, clock: Clock): Date =>
  new Date(clock.now() + config.systemClockOffset);

/** A structure in a structure has its name before its members', with a dot between. */
function membersText(members: Members, prefix = ''): string {
  return Object.entries(members)
    .map(([name, value]) =>
      typeof value === 'object'
        ? membersText(value, `${prefix}${name}.`)
        : `&${prefix}${name}=${encoded(String(value))}`,
    )
    .join('');
}

/** Most ids: nothing in it has to be encoded. */
const PLAIN = /^[\w.-]*$/;

/** RFC 3986: unlike encodeURIComponent also what was reserved before it. */
const encoded = (text: string): string =>
  PLAIN.test(text)
    ? text
    : encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

type Outcome =
  | { readonly is: 'read'; readonly response: Response; readonly body: Uint8Array }
  | { readonly is: 'cut'; readonly response: Response; readonly error: Error }
  | { readonly is: 'none'; readonly error: unknown };

async function outcomeOf(client: EC2Client, sent: Promise<{ response: Response }>): Promise<Outcome> {
  let response: Response | undefined;
  try {
    ({ response } = await sent);
    return { is: 'read', response, body: await collected(client, response.body) };
  } catch (error) {
    return response === undefined ? { is: 'none', error } : { is: 'cut', response, error: error as Error };
  }
}

/** The SDK's collector makes a stream of its own for each body. */
function collected({ config }: EC2Client, body: unknown): Promise<Uint8Array> {
  if (!(body instanceof Readable)) return config.streamCollector(body);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    body.on('data', (chunk: Buffer) => chunks.push(chunk));
    body.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    body.on('error', reject);
  });
}

/** The whole of a reply that says nothing but that it was done. */
const TRUE =
  /^(?=.*<return>true<\/return>)(?:<\?xml[^<>]*\?>)?\s*<(\w+)Response(?: [^<>]*)?>\s*(?:<(?:requestId|associationId)>[^<>&]*<\/(?:requestId|associationId)>\s*|<return>true<\/return>\s*)+<\/\1Response>\s*$/s;

const saysTrue = ({ response, body }: Extract<Outcome, { is: 'read' }>, { action }: Mutation): boolean =>
  response.statusCode === 200 && TRUE.exec(textOf(body))?.[1] === action;

const textOf = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString('utf8');

/** Further from AWS's time than this a reply is given to the SDK, which learns the difference; a Date is in whole seconds. */
const TIME_OFF_MAX_MS = 10_000;

function hasOurTime({ response }: Extract<Outcome, { is: 'read' }>, now: Date): boolean {
  const { date } = response.headers;
  return date === undefined || Math.abs(Date.parse(date) - now.getTime()) < TIME_OFF_MAX_MS;
}

/** As the SDK's own request handler would give it. */
async function given(outcome: Outcome): Promise<{ response: Response }> {
  if (outcome.is === 'none') throw outcome.error;
  const { response } = outcome;
  response.body =
    outcome.is === 'read'
      ? outcome.body
      : new Readable({
          read() {
            this.destroy(outcome.error);
          },
        });
  return { response };
}

/** The whole middleware of the SDK, with `handle` in place of the network. */
async function throughSdk(
  { config, middlewareStack }: EC2Client,
  command: ReplaceRouteCommand,
  handle: (request: Request) => Promise<{ response: Response }>,
  options: { readonly abortSignal?: AbortSignal } = {},
): Promise<void> {
  const requestHandler = { handle } as unknown as typeof config.requestHandler;
  const call = command.resolveMiddleware(middlewareStack, { ...config, requestHandler }, options);
  await call({ input: command.input as ReplaceRouteCommandInput });
}
