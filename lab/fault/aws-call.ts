/**
 * One request to AWS as it looks on the wire, and how AWS refuses it: EC2's query protocol and the JSON protocols of the others.
 *
 * Limit: only what a proxy has to know: which action, with which parameters, whether it reads; anything else is passed on unread.
 */
import type { IncomingHttpHeaders } from 'node:http';

export interface AwsCall {
  readonly service: 'ec2' | 'dynamodb' | 'events' | 'other';
  /** ReplaceRoute, UpdateItem, PutEvents …; method and path where no action can be recognised. */
  readonly action: string;
  /** EC2: the flat query parameters; JSON: the parsed body. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Whether eventual consistency may answer it with an older state. */
  readonly readsWeakly: boolean;
}

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

export function awsCall(request: HttpRequest): AwsCall {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') return jsonCall(target, request.body);
  const type = request.headers['content-type'] ?? '';
  if (type.includes('application/x-www-form-urlencoded')) {
    const parameters = Object.fromEntries(new URLSearchParams(request.body.toString('utf8')));
    const action = parameters.Action;
    if (action !== undefined)
      return { service: 'ec2', action, parameters, readsWeakly: action.startsWith('Describe') };
  }
  return {
    service: 'other',
    action: `${request.method} ${request.path}`,
    parameters: {},
    readsWeakly: false,
  };
}

function jsonCall(target: string, body: Buffer): AwsCall {
  const [api = '', action = target] = target.split('.');
  const services = { DynamoDB: 'dynamodb', AWSEvents: 'events' } as const;
  const service = services[api.split('_')[0] as keyof typeof services] ?? 'other';
  const parameters = parsed(body);
  const reads = service === 'dynamodb' && ['GetItem', 'Query', 'Scan', 'BatchGetItem'].includes(action);
  return { service, action, parameters, readsWeakly: reads && parameters.ConsistentRead !== true };
}

function parsed(body: Buffer): Record<string, unknown> {
  try {
    return JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** What the service would answer; the status is the documented one of the code by default. */
export function refusal(call: AwsCall, code: string, message: string, status?: number): HttpReply {
  const requestId = crypto.randomUUID();
  if (call.service === 'ec2') {
    const errors = `<Errors><Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error></Errors>`;
    const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Response>${errors}<RequestID>${requestId}</RequestID></Response>`;
    return reply(status ?? ec2Status(code), 'text/xml;charset=UTF-8', requestId, xml);
  }
  const json = JSON.stringify({ __type: code, message });
  return reply(status ?? jsonStatus(code), 'application/x-amz-json-1.0', requestId, json);
}

function reply(status: number, type: string, requestId: string, text: string): HttpReply {
  return {
    status,
    headers: { 'content-type': type, 'x-amzn-requestid': requestId },
    body: Buffer.from(text),
  };
}

// EC2 API reference, "Error codes": client errors are 4xx, of which denials 403; these are the server's.
function ec2Status(code: string): number {
  if (['RequestLimitExceeded', 'Unavailable', 'ServiceUnavailable', 'InsufficientCapacity'].includes(code))
    return 503;
  if (['InternalError', 'InternalFailure'].includes(code)) return 500;
  return ['UnauthorizedOperation', 'AuthFailure'].includes(code) ? 403 : 400;
}

function jsonStatus(code: string): number {
  if (code === 'ServiceUnavailable') return 503;
  return ['InternalServerError', 'InternalException', 'InternalFailure'].includes(code) ? 500 : 400;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
