// Verifies AWS Signature Version 4 from the request alone, independently of what made it (curl, the SDK): canonical
// request, string to sign and key as in "Signature Version 4 signing process" of the IAM user guide.
import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Signer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly region: string;
  readonly service: string;
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Why the signature is not valid, or undefined if it is. */
export function signatureFault(request: SignedRequest, signer: Signer): string | undefined {
  const authorization = request.headers.authorization ?? '';
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (!parts) return `authorization is "${authorization.slice(0, 40)}", expected AWS4-HMAC-SHA256`;
  const [, key, day, region, service, signedHeaders, signature] = parts as unknown as string[];
  const date = String(request.headers['x-amz-date']);
  if (key !== signer.accessKeyId) return `access key is "${key}", expected "${signer.accessKeyId}"`;
  if (region !== signer.region || service !== signer.service) return `scope is ${region}/${service}`;
  if (request.headers['x-amz-security-token'] !== signer.sessionToken) return 'another session token';
  if (!date.startsWith(day!)) return `x-amz-date is "${date}", its scope says ${day}`;
  const names = signedHeaders!.split(';');
  for (const name of ['host', 'x-amz-date', 'x-amz-security-token', 'x-amz-target'])
    if (request.headers[name] !== undefined && !names.includes(name)) return `${name} is not signed`;
  const canonical = [
    request.method,
    request.path,
    '',
    ...names.map((name) => `${name}:${String(request.headers[name]).trim()}`),
    '',
    signedHeaders,
    hash(request.body),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, hash(canonical)].join('\n');
  const signingKey = [day!, region!, service!, 'aws4_request'].reduce<Buffer | string>(
    (previous, text) => hmac(previous, text),
    `AWS4${signer.secretAccessKey}`,
  );
  return hmac(signingKey, toSign).toString('hex') === signature ? undefined : 'the signature does not match';
}
