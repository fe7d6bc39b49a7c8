// A function URL over TLS on loopback: it checks every signature, keeps the claims it took in order of arrival, and fails on request.
import type { ServerResponse } from 'node:http';
import type { Detail } from './bus.ts';
import { type Signer, signatureFault } from './signature.ts';
import { startTlsServer } from './tls-server.ts';

/** What becomes of one call. `lost`: taken, but the reply never arrives. `late`: answered when that is resolved. */
export type CallFate =
  | { readonly kind: 'take' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'late'; readonly after: Promise<void> }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    };

export interface Direct {
  readonly url: string;
  /** Every call that arrived with a whole body, whatever became of it. */
  readonly calls: { readonly detail: Detail; readonly fault: string | undefined }[];
  readonly taken: Detail[];
  /** Calls whose caller still waits. */
  readonly open: ReadonlySet<Detail>;
  /** Decides the next calls; takes them by default. */
  fate: (call: number, detail: Detail) => CallFate;
  signer: Signer;
  until(done: () => boolean, limitMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startDirect(signer: Signer, said: () => string = () => ''): Promise<Direct> {
  const open = new Set<Detail>();
  const server = await startTlsServer('direct', (received, response) => {
    const fault = signatureFault(received, direct.signer);
    const detail = JSON.parse(received.body) as Detail;
    direct.calls.push({ detail, fault });
    open.add(detail);
    response.once('close', () => {
      open.delete(detail);
      server.changed();
    });
    if (fault) answer(response, { status: 403, headers: errorType('InvalidSignatureException') });
    else deliver(direct, direct.fate(direct.calls.length, detail), detail, response);
  });
  const direct: Direct = {
    url: server.url,
    calls: [],
    taken: [],
    open,
    fate: () => ({ kind: 'take' }),
    signer,
    until: (done, limitMs = 90_000) => server.until(done, { limitMs, found: () => summary(direct, said()) }),
    stop: () => server.stop(),
  };
  return direct;
}

/** As Lambda names its own refusals. */
export const errorType = (name: string): Readonly<Record<string, string>> => ({ 'x-amzn-errortype': name });

type Answer = Omit<Extract<CallFate, { kind: 'answer' }>, 'kind'>;

function answer(response: ServerResponse, { status, headers = {}, body = '' }: Answer): void {
  response.writeHead(status, headers).end(body);
}

function deliver(direct: Direct, fate: CallFate, detail: Detail, response: ServerResponse): void {
  const take = (): Answer => {
    direct.taken.push(detail);
    return {
      status: 200,
      headers: { 'content-type': 'application/json', 'x-amzn-requestid': `call-${direct.taken.length}` },
      body: '{"answer":"recorded"}',
    };
  };
  switch (fate.kind) {
    case 'take':
      answer(response, take());
      return;
    case 'late': {
      const late = take();
      void fate.after.then(() => answer(response, late));
      return;
    }
    case 'lost':
      take();
      response.socket?.destroy();
      return;
    case 'reset':
      response.socket?.destroy();
      return;
    case 'hang':
      return;
    case 'answer':
      answer(response, fate);
      return;
    default:
      fate satisfies never;
  }
}

const summary = (direct: Direct, said: string): string =>
  `${direct.calls.length} direct calls, ${direct.taken.length} taken, last fault ${direct.calls.at(-1)?.fault}; the shim said:\n${said.split('\n').slice(-20).join('\n')}`;
