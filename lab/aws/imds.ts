// An emulated EC2 instance metadata service (IMDSv2) for one instance: token, instance id, Region, role credentials,
// instance identity.
//
// Invariant: with `tokenRequired` (the default) nothing is answered without a token that this server gave out, as on an
// instance with HttpTokens=required.
// What AWS tells an instance that is to go comes from `more`.
// Limit: only the paths that the shim and the usual tools read; tokens do not expire before the server stops.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { defined, ifDefined } from '../../shared/optional.ts';
import { listening } from './listening.ts';

export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAtMs: number;
}

export interface ImdsInput {
  /** Default 127.0.0.1; in a network namespace 169.254.169.254. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly instanceId: string;
  readonly roleName: string;
  readonly region: string;
  readonly availabilityZone?: string;
  readonly accountId?: string;
  /** Asked at every request, so that a test can let credentials expire or change. Default: `labCredentials`. */
  readonly credentials?: () => RoleCredentials;
  readonly tokenRequired?: boolean;
  /** More paths below /latest/meta-data/, asked at every request with the address that asks: notices.ts has AWS's notices. Others are 404. */
  readonly more?: (asker: string) => Readonly<Record<string, string>>;
}

export interface Imds {
  /** For AWS_EC2_METADATA_SERVICE_ENDPOINT or `endpoint_imds`. */
  readonly url: string;
  /** Method and path of every request so far. */
  readonly requests: readonly string[];
  stop(): Promise<void>;
}

/** Credentials that no AWS account knows; valid for six hours from the call, like a role's. */
export const labCredentials = (): RoleCredentials => ({
  accessKeyId: 'ASIALAB0000000000001',
  secretAccessKey: 'labSecretlabSecretlabSecretlab/Secret+12',
  sessionToken: 'labSessionToken+/lab==',
  expiresAtMs: Date.now() + 6 * 3_600_000,
});

export async function startImds(input: ImdsInput): Promise<Imds> {
  const tokens = new Set<string>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(input, tokens, request, response);
  });
  return { requests, ...(await listening(server, input.host, input.port)) };
}

function answer(
  input: ImdsInput,
  tokens: Set<string>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const [status, text] = answerTo(input, tokens, request);
  response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
}

function answerTo(input: ImdsInput, tokens: Set<string>, request: IncomingMessage): [number, string] {
  if (request.url === '/latest/api/token') {
    if (request.method !== 'PUT') return [405, ''];
    if (!request.headers['x-aws-ec2-metadata-token-ttl-seconds']) return [400, ''];
    const given = randomBytes(24).toString('base64');
    tokens.add(given);
    return [200, given];
  }
  const token = request.headers['x-aws-ec2-metadata-token'];
  const known = typeof token === 'string' && tokens.has(token);
  if (!known && (input.tokenRequired ?? true)) return [401, ''];
  const path = request.url ?? '';
  const asker = request.socket.remoteAddress ?? '';
  const text =
    metadata(input, path) ??
    (path.startsWith(ROOT) ? input.more?.(asker)[path.slice(ROOT.length)] : undefined);
  return text === undefined ? [404, ''] : [200, text];
}

const ROOT = '/latest/meta-data/';

function metadata(input: ImdsInput, path: string): string | undefined {
  const zone = input.availabilityZone ?? `${input.region}a`;
  const credentialsPath = '/latest/meta-data/iam/security-credentials/';
  switch (path) {
    case '/latest/meta-data/instance-id':
      return input.instanceId;
    case '/latest/meta-data/placement/region':
      return input.region;
    case '/latest/meta-data/placement/availability-zone':
      return zone;
    case credentialsPath:
      return input.roleName;
    case credentialsPath + input.roleName:
      return roleDocument((input.credentials ?? labCredentials)());
    case '/latest/dynamic/instance-identity/document':
      return JSON.stringify({
        accountId: input.accountId ?? '000000000000',
        availabilityZone: zone,
        instanceId: input.instanceId,
        region: input.region,
        version: '2017-09-30',
      });
    default:
      return undefined;
  }
}

const isoSeconds = (instantMs: number): string => new Date(instantMs).toISOString().replace(/\.\d+Z$/, 'Z');

const roleDocument = (credentials: RoleCredentials): string =>
  JSON.stringify(
    {
      Code: 'Success',
      LastUpdated: isoSeconds(credentials.expiresAtMs - 6 * 3_600_000),
      Type: 'AWS-HMAC',
      AccessKeyId: credentials.accessKeyId,
      SecretAccessKey: credentials.secretAccessKey,
      Token: credentials.sessionToken,
      Expiration: isoSeconds(credentials.expiresAtMs),
    },
    undefined,
    2,
  );

const fromFile = (path: string) => (): Readonly<Record<string, string>> =>
  existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>) : {};

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '0' },
      'instance-id': { type: 'string' },
      role: { type: 'string', default: 'vipshift-node' },
      region: { type: 'string', default: 'eu-west-1' },
      // A file of JSON: path below /latest/meta-data/ → text.
      more: { type: 'string' },
    },
  });
  const instanceId = values['instance-id'];
  if (instanceId === undefined) {
    console.error('imds: --instance-id is missing, expected the id of the instance to emulate, such as i-0a');
    process.exit(2);
  }
  const imds = await startImds({
    host: values.host,
    port: Number(values.port),
    instanceId,
    roleName: values.role,
    region: values.region,
    ...defined({ more: ifDefined(values.more, fromFile) }),
  });
  console.log(imds.url);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void imds.stop());
}
