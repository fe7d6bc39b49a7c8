// A call of a function URL as a shim makes it: by curl, which signs.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Caller } from '../../../lab/aws/stack/function-url.ts';

export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

export interface Signed {
  readonly method?: string;
  readonly region?: string;
  /** Headers beside those that curl makes. */
  readonly headers?: readonly string[];
}

/** `caller` undefined: not signed at all. */
export async function signedCall(
  url: string,
  caller: Pick<Caller, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'> | undefined,
  body: unknown,
  { method = 'POST', region = 'eu-central-1', headers = [] }: Signed = {},
): Promise<Answered> {
  const signature =
    caller === undefined
      ? []
      : [
          ...['--aws-sigv4', `aws:amz:${region}:lambda`],
          ...['--user', `${caller.accessKeyId}:${caller.secretAccessKey}`],
          ...['--header', `x-amz-security-token: ${caller.sessionToken}`],
        ];
  const { stdout } = await promisify(execFile)('curl', [
    ...['--silent', '--show-error', '--max-time', '60', '--write-out', '\n%{http_code}'],
    ...['--request', method, '--data-binary', JSON.stringify(body)],
    ...['content-type: application/json', ...headers].flatMap((header) => ['--header', header]),
    ...signature,
    url,
  ]);
  const [text, status] = [stdout.slice(0, -4), stdout.slice(-3)];
  return { status: Number(status), body: text === '' ? undefined : (JSON.parse(text) as unknown) };
}
