// A function URL over TLS on loopback: it checks every signature, keeps the claims it took in order of arrival, and fails on request.
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Detail } from './bus.ts';
import { makeCertificate } from './certificate.ts';
import { type Signer, signatureFault } from './signature.ts';
import { untilDone } from './until.ts';

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
  const folder = mkdtempSync(join(tmpdir(), 'vipshift-direct-'));
  const { key, cert } = makeCertificate(folder);
  const watchers = new Set<() => void>();
  const sockets = new Set<Duplex>();
  const open = new Set<Detail>();
  const watch = () => {
    for (const watcher of watchers) watcher();
  };
  const server = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const { method = '', url: path = '', headers } = request;
      const fault = signatureFault({ method, path, headers, body }, direct.signer);
      const detail = JSON.parse(body) as Detail;
      direct.calls.push({ detail, fault });
      open.add(detail);
      response.once('close', () => {
        open.delete(detail);
        watch();
      });
      if (fault) answer(response, { status: 403, headers: errorType('InvalidSignatureException') });
      else deliver(direct, direct.fate(direct.calls.length, detail), detail, response);
      watch();
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const direct: Direct = {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    calls: [],
    taken: [],
    open,
    fate: () => ({ kind: 'take' }),
    signer,
    until: (done, limitMs = 90_000) =>
      untilDone(watchers, done, { limitMs, found: () => summary(direct, said()) }),
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
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
