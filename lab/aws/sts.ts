// An emulated STS that knows one call, GetCallerIdentity. On AWS it is the only place where an instance learns the user id
// (`<role id>:<instance id>`) that IAM will check its events' source against.
//
// Limit: it does not verify signatures. It tells callers apart by access key where `userIdOf` does, else answers all alike.
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { listening } from './listening.ts';

export interface StsInput {
  readonly host?: string;
  readonly port?: number;
  /** `<role id>:<instance id>` of the caller with this access key id; undefined is answered with AccessDenied. */
  readonly userIdOf: (accessKeyId: string) => string | undefined;
  readonly accountId?: string;
}

export interface Sts {
  /** For AWS_ENDPOINT_URL_STS or `endpoint_sts`. */
  readonly url: string;
  /** Access key ids of the callers so far. */
  readonly callers: readonly string[];
  stop(): Promise<void>;
}

export async function startSts(input: StsInput): Promise<Sts> {
  const callers: string[] = [];
  const server = createServer((request, response) => {
    const accessKeyId = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1];
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      callers.push(accessKeyId ?? '');
      const action = new URLSearchParams(Buffer.concat(chunks).toString()).get('Action');
      const [status, text] = answer(input, accessKeyId, action);
      response.writeHead(status, { 'content-type': 'text/xml' }).end(text);
    });
  });
  return { callers, ...(await listening(server, input.host, input.port)) };
}

function answer(input: StsInput, accessKeyId: string | undefined, action: string | null): [number, string] {
  if (accessKeyId === undefined)
    return [403, error('MissingAuthenticationToken', 'Request is missing a signature')];
  if (action !== 'GetCallerIdentity')
    return [400, error('InvalidAction', `Could not find operation ${action}`)];
  const userId = input.userIdOf(accessKeyId);
  if (userId === undefined) return [403, error('AccessDenied', `no identity for ${accessKeyId}`)];
  const account = input.accountId ?? '000000000000';
  const session = userId.split(':')[1] ?? userId;
  return [
    200,
    `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
  <Arn>arn:aws:sts::${account}:assumed-role/vipshift-node/${session}</Arn>
  <UserId>${userId}</UserId>
  <Account>${account}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>`,
  ];
}

const error = (code: string, message: string): string =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '0' },
      'user-id': { type: 'string' },
    },
  });
  const userId = values['user-id'];
  if (userId === undefined) {
    console.error(
      'sts: --user-id is missing, expected <role id>:<instance id>, such as AROALAB00000000000001:i-0a',
    );
    process.exit(2);
  }
  const sts = await startSts({ host: values.host, port: Number(values.port), userIdOf: () => userId });
  console.log(sts.url);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void sts.stop());
}
