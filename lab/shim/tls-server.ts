// A server over TLS on loopback, as the shim's endpoints are: it collects each request, answers it, and wakes who waits for that.
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { makeCertificate } from './certificate.ts';
import { untilDone } from './until.ts';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface TlsServer {
  readonly url: string;
  /** Who vouches for it. */
  readonly certFile: string;
  /** Wakes those who wait; done by itself after each request. */
  changed(): void;
  /** Resolves as soon as `done` holds; rejects after `limitMs` with what was found. */
  until(
    done: () => boolean,
    waiting: { readonly limitMs: number; readonly found: () => string },
  ): Promise<void>;
  stop(): Promise<void>;
}

type Answers = (received: Received, response: ServerResponse) => void;

/** `name` is that of its folder. */
export async function startTlsServer(name: string, answers: Answers): Promise<TlsServer> {
  const folder = mkdtempSync(join(tmpdir(), `vipshift-${name}-`));
  const { key, cert, certFile } = makeCertificate(folder);
  const watchers = new Set<() => void>();
  const sockets = new Set<Duplex>();
  const changed = () => {
    for (const watcher of watchers) watcher();
  };
  const server = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      answers({ method, path, headers, body: Buffer.concat(chunks).toString() }, response);
      changed();
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    certFile,
    changed,
    until: (done, waiting) => untilDone(watchers, done, waiting),
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
