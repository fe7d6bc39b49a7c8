// Signed: a call of an AWS service for which no client is installed (SSM, CloudFormation), signed by hand with Signature Version 4.
//
// Source: "Create a signed AWS API request", IAM user guide. Limit: POST to `/`, bodies as text; no retry but the caller's own.
import { createHash, createHmac } from 'node:crypto';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface Signer {
  readonly region: string;
  credentials(): Promise<Credentials>;
}

export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case; host and date are added. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text, 'utf8').digest();

/** Who signs, for what, and when. */
export interface Signing {
  /** As it stands in the scope: `ssm`. */
  readonly service: string;
  readonly region: string;
  readonly credentials: Credentials;
  readonly at: Date;
}

/** The headers to send, `authorization` among them. */
export function signedHeaders(
  request: SignedRequest,
  { service, region, credentials: { accessKeyId, secretAccessKey, sessionToken }, at }: Signing,
): Readonly<Record<string, string>> {
  const stamp = at.toISOString().replace(/[-:]|\.\d+/g, '');
  const day = stamp.slice(0, 8);
  const headers: Record<string, string> = { ...request.headers, host: request.url.host, 'x-amz-date': stamp };
  if (sessionToken !== undefined) headers['x-amz-security-token'] = sessionToken;
  const names = Object.keys(headers).toSorted();
  const query = [...request.url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .toSorted()
    .join('&');
  const canonical = [
    request.method,
    request.url.pathname,
    query,
    ...names.map((name) => `${name}:${headers[name]!.trim()}`),
    '',
    names.join(';'),
    sha256(request.body),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  const signature = hmac(key, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...headers, authorization };
}

/** A refusal of the service; its name is the service's own code. */
export class Refused extends Error {
  constructor(code: string, message: string) {
    super(message);
    this.name = code;
  }
}

const ANSWER_MAX_MS = 20_000;

/** One call of a service, not signed yet. */
export interface ServiceCall {
  readonly service: string;
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends it and gives back the body; throws Refused when the status is not 200. */
export async function send(
  signer: Signer,
  { service, endpoint, headers, body }: ServiceCall,
): Promise<string> {
  const url = new URL('/', endpoint);
  const signing = { service, region: signer.region, credentials: await signer.credentials(), at: new Date() };
  const signed = signedHeaders({ method: 'POST', url, headers, body }, signing);
  const { host: _host, ...sent } = signed;
  const reply = await fetch(url, {
    method: 'POST',
    headers: sent,
    body,
    signal: AbortSignal.timeout(ANSWER_MAX_MS),
  });
  const text = await reply.text();
  if (reply.ok) return text;
  const code = /"__type"\s*:\s*"(?:[^"]*#)?([^"]+)"|<Code>([^<]+)/.exec(text);
  const message = /"[Mm]essage"\s*:\s*"([^"]*)"|<Message>([^<]*)/.exec(text);
  throw new Refused(
    code?.[1] ?? code?.[2] ?? `Http${reply.status}`,
    message?.[1] ?? message?.[2] ?? text.slice(0, 300),
  );
}
