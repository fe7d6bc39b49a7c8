// The function URL of the lab, with AuthType AWS_IAM: checks the signature, says who signed as Lambda does (payload format 2.0,
// `requestContext.authorizer.iam`), invokes the function and answers as it did. MiniStack 1.4.21 makes `AWS::Lambda::Url` and takes any
// signature for one, without saying whose it is.
//
// Limits: IAM is not emulated, so every known caller may call, as one of the account with a policy of its own may; no TLS.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { defined } from '../../../shared/optional.ts';
import { signatureFault } from '../../shim/signature.ts';
import { listening } from '../listening.ts';

/** Whom Lambda would know by these credentials. */
export interface Caller {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly accountId: string;
  /** Of an instance's role: `<role id>:<instance id>`. */
  readonly userId: string;
  readonly userArn: string;
}

export interface FunctionUrlInput {
  /** Of Lambda's own API. */
  readonly endpoint: string;
  readonly region: string;
  /** Of the function, not of its callers. */
  readonly accountId: string;
  readonly functionName: string;
  readonly callerOf: (accessKeyId: string) => Caller | undefined;
  readonly host?: string;
  readonly port?: number;
}

export interface FunctionUrl {
  readonly url: string;
  /** Every call that arrived whole, in order, with the status that it was answered. */
  readonly calls: { readonly userId: string | undefined; readonly status: number }[];
  /** While set, the status that each call is answered, and nothing is invoked: 429 or 503 as Lambda has them. */
  outage: number | undefined;
  stop(): Promise<void>;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Said {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Lambda takes a signature for five minutes. */
const SIGNED_MAX_MS = 300_000;
const BODY_MAX = 6 * 1024 * 1024;

export async function startFunctionUrl(input: FunctionUrlInput): Promise<FunctionUrl> {
  const calls: FunctionUrl['calls'] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    // A client that goes away after this does not end the invocation.
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const asked = { method, path, headers, body: Buffer.concat(chunks).toString() };
      const caller = input.callerOf(keyOf(headers));
      const said = front.outage === undefined ? answerTo(input, asked, caller) : failed(front.outage);
      void Promise.resolve(said)
        .catch(() => failed(502))
        .then(({ status, headers: own, body }) => {
          calls.push({ userId: caller?.userId, status });
          response.writeHead(status, { 'content-type': 'application/json', ...own }).end(body);
        });
    });
  });
  const front: FunctionUrl = Object.assign(await listening(server, input.host, input.port), {
    calls,
    outage: undefined,
  });
  return front;
}

const keyOf = ({ authorization = '' }: IncomingHttpHeaders): string =>
  /Credential=([^/]+)\//.exec(authorization)?.[1] ?? '';

/** `Message` is how Lambda spells it. */
const failed = (status: number, Message = 'Internal Server Error'): Said => ({
  status,
  body: JSON.stringify({ Message }),
});

async function answerTo(input: FunctionUrlInput, asked: Asked, caller: Caller | undefined): Promise<Said> {
  const fault =
    caller === undefined ? 'no known caller' : faultOf(asked, { ...caller, region: input.region });
  if (caller === undefined || fault !== undefined) return failed(403, `Forbidden: ${fault}`);
  if (asked.body.length > BODY_MAX) return failed(413, 'Request must be smaller than 6291456 bytes');
  const reply = await fetch(`${input.endpoint}/2015-03-31/functions/${input.functionName}/invocations`, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${input.accountId}/20260101/${input.region}/lambda/aws4_request, SignedHeaders=host, Signature=local`,
    },
    body: JSON.stringify(envelopeOf(asked, caller)),
  });
  const text = await reply.text();
  if (!reply.ok)
    return failed(reply.status === 429 ? 429 : 502, reply.status === 429 ? 'Rate Exceeded.' : undefined);
  return reply.headers.has('x-amz-function-error') ? failed(502) : saidBy(text);
}

function faultOf(asked: Asked, caller: Caller & { readonly region: string }): string | undefined {
  const [, day, time] = /^(\d{8})T(\d{6})Z$/.exec(String(asked.headers['x-amz-date'])) ?? [];
  if (day === undefined || time === undefined) return 'x-amz-date is missing';
  const iso = `${day.replace(/(\d{4})(\d\d)(\d\d)/, '$1-$2-$3')}T${time.replace(/(\d\d)(\d\d)(\d\d)/, '$1:$2:$3')}Z`;
  if (!(Math.abs(Date.now() - Date.parse(iso)) <= SIGNED_MAX_MS)) return 'the signature is not current';
  return signatureFault(asked, { ...caller, service: 'lambda' });
}

const envelopeOf = ({ method, path, headers, body }: Asked, caller: Caller) => ({
  ...{ version: '2.0', routeKey: '$default', rawPath: path, rawQueryString: '', headers },
  requestContext: {
    accountId: caller.accountId,
    apiId: 'lab',
    authentication: null,
    authorizer: {
      iam: {
        accessKey: caller.accessKeyId,
        accountId: caller.accountId,
        callerId: caller.userId,
        cognitoIdentity: null,
        principalOrgId: null,
        userArn: caller.userArn,
        userId: caller.userId,
      },
    },
    http: {
      method,
      path,
      protocol: 'HTTP/1.1',
      sourceIp: '127.0.0.1',
      userAgent: headers['user-agent'] ?? '',
    },
    requestId: randomUUID(),
    routeKey: '$default',
    stage: '$default',
    timeEpoch: Date.now(),
  },
  body,
  isBase64Encoded: false,
});

/** What a function returns with a status is the answer; anything else is the body of a 200. */
function saidBy(text: string): Said {
  const said = JSON.parse(text) as { statusCode?: number; headers?: Record<string, string>; body?: string };
  if (said?.statusCode === undefined) return { status: 200, body: text };
  return { status: said.statusCode, ...defined({ headers: said.headers }), body: said.body ?? '' };
}
