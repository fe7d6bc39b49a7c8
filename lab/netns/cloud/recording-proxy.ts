/**
 * Tap: a reverse proxy before an emulator that records what passes and when, and can hold it back.
 *
 * Every request becomes one Exchange with the instants at which it was complete here and at which its answer was. What is
 * measured as the emulator's share is the time between the two.
 * Invariant: without a gate nothing is changed on the way, the status and body of a failed forward (502) excepted.
 */
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { monotonicMs } from '../scenario/moment.ts';

export interface Exchange {
  /** As AWS names it: PutEvents, UpdateItem, ReplaceRoute. */
  readonly action: string;
  readonly body: string;
  /** Where it came from: the caller's address and port. */
  readonly from: { readonly address: string; readonly port: number };
  readonly askedMs: number;
  answeredMs: number | undefined;
  status: number | undefined;
}

/** `drop` closes the connection without a word, `hang` leaves it open without one. */
export type Passage = 'pass' | 'drop' | 'hang' | { readonly status: number; readonly body: string };
export type Gate = (exchange: Exchange) => Passage | Promise<Passage>;

const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

export class Tap {
  readonly exchanges: Exchange[] = [];
  /** Asked before a request is passed on. */
  gate: Gate = () => 'pass';
  /** Called when the emulator has answered, before the caller is. */
  answered: (exchange: Exchange) => void = () => {};
  target: string;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  #endpoint = '';

  constructor(target = '') {
    this.target = target;
    this.#server = createServer((incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  get endpoint(): string {
    return this.#endpoint;
  }

  async listen(address: string): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, address, resolve);
    });
    this.#endpoint = `http://${address}:${(this.#server.address() as AddressInfo).port}`;
    return this.#endpoint;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    const exchange: Exchange = {
      action: actionOf(incoming, body),
      body: body.toString('utf8'),
      from: { address: incoming.socket.remoteAddress ?? '', port: incoming.socket.remotePort ?? 0 },
      askedMs: monotonicMs(),
      answeredMs: undefined,
      status: undefined,
    };
    this.exchanges.push(exchange);
    const passage = await this.gate(exchange);
    if (passage === 'hang') return;
    if (passage === 'drop') {
      incoming.socket.destroy();
      return;
    }
    if (passage !== 'pass') {
      exchange.status = passage.status;
      exchange.answeredMs = monotonicMs();
      outgoing.writeHead(passage.status, { 'content-type': 'application/x-amz-json-1.1' }).end(passage.body);
      return;
    }
    const answer = await this.#forward(incoming, body);
    exchange.status = answer.status;
    exchange.answeredMs = monotonicMs();
    this.answered(exchange);
    outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  }

  #forward(
    incoming: IncomingMessage,
    body: Buffer,
  ): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> {
    return new Promise((resolve) => {
      const failed = (error: Error) =>
        resolve({
          status: 502,
          headers: {},
          body: Buffer.from(`the emulator did not answer: ${error.message}`),
        });
      const onward = request(
        new URL(incoming.url ?? '/', this.target),
        { method: incoming.method ?? 'POST', headers: incoming.headers, agent: this.#agent },
        (response) => {
          bodyOf(response)
            .then((bytes) => {
              const { 'transfer-encoding': _chunked, ...headers } = response.headers;
              headers['content-length'] = String(bytes.length);
              resolve({ status: response.statusCode ?? 502, headers, body: bytes });
            })
            .catch(failed);
        },
      );
      onward.on('error', failed);
      onward.end(body);
    });
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_LIMIT_BYTES) throw new Error(`a body of more than ${BODY_LIMIT_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function actionOf(incoming: IncomingMessage, body: Buffer): string {
  const target = incoming.headers['x-amz-target'];
  if (typeof target === 'string') return target.slice(target.lastIndexOf('.') + 1);
  return new URLSearchParams(body.toString('utf8')).get('Action') ?? incoming.url ?? '';
}
