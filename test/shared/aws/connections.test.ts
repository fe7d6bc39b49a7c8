// Connections that are opened before the requests which want them, against a TLS server of this process's own.
import { request } from 'node:https';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import { createServer } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, trustedCertificate } from '../../../bench/fake/certificate.ts';
import { type Connections, connections } from '../../../shared/aws/connections.ts';

let certificate: Certificate;
beforeAll(() => {
  certificate = trustedCertificate();
});

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Counts its connections, and answers each request when it is told to. */
class Far {
  readonly sockets = new Set<Socket>();
  accepted = 0;
  readonly #waiting: Socket[] = [];
  #changed = () => {};

  accept(socket: Socket): void {
    this.accepted++;
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => {
      this.#waiting.push(socket);
      this.#changed();
    });
    socket.on('close', () => {
      this.sockets.delete(socket);
      this.#changed();
    });
    this.#changed();
  }
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => holds() && resolve();
      this.#changed = look;
      look();
    });
  }
  get asking(): number {
    return this.#waiting.length;
  }
  answer(): void {
    for (const socket of this.#waiting.splice(0))
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  }
  /** Each is gone from `sockets` when the client has closed it, too. */
  cut(): void {
    for (const socket of this.sockets) socket.end();
  }
  stop(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function started(maxSockets = 100) {
  const far = new Far();
  const port = await listening(createServer(certificate, (socket) => far.accept(socket)));
  const ours = connections(maxSockets);
  stops.push(
    () => far.cut(),
    () => ours.destroy(),
  );
  return { far, port, ours };
}

const get = (ours: Connections, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, agent: ours.agent }, (reply) => {
      reply.resume().once('end', () => resolve(reply.statusCode!));
    });
    sent.once('error', reject).end();
  });

/** So many requests at once, each answered when all have arrived. */
async function together(count: number, { far, port, ours }: Awaited<ReturnType<typeof started>>) {
  const sent = Array.from({ length: count }, () => get(ours, port));
  await far.until(() => far.asking === count);
  far.answer();
  expect(await Promise.all(sent)).toEqual(sent.map(() => 200));
}

describe('connections that are opened ahead', () => {
  it('carry the requests: none is opened besides', async () => {
    const world = await started();
    const { far, ours } = world;
    await together(1, world);
    ours.open(9);
    await far.until(() => far.accepted === 9);
    await together(9, world);
    expect(far.accepted, 'the one that was there, and eight').toBe(9);
    ours.open(9);
    await together(9, world);
    expect(far.accepted, 'nothing is missing any more').toBe(9);
  });

  it('are taken while they are still being opened', async () => {
    const world = await started();
    await together(1, world);
    world.ours.open(6);
    await together(6, world);
    expect(world.far.accepted).toBe(6);
  });

  it('are replaced where the server has closed them', async () => {
    const world = await started();
    const { far, ours } = world;
    await together(3, world);
    far.cut();
    await far.until(() => far.sockets.size === 0);
    ours.open(3);
    await far.until(() => far.accepted === 6);
    far.cut();
    await far.until(() => far.sockets.size === 0);
    await together(2, world);
    expect(far.accepted).toBe(8);
  });

  it('are as many as the agent may have, whatever is asked', async () => {
    const world = await started(3);
    await together(1, world);
    world.ours.open(1000);
    await world.far.until(() => world.far.accepted === 3);
    await together(3, world);
    expect(world.far.accepted).toBe(3);
  });

  it('are none before the endpoint is known', async () => {
    const world = await started();
    world.ours.open(5);
    await together(1, world);
    expect(world.far.accepted).toBe(1);
  });

  it('are opened four at a time: a reply in between waits for no more handshakes', async () => {
    const world = await started();
    await together(1, world);
    world.far.cut();
    // The same port, where no one says a word of TLS.
    const mute = new Far();
    const port = await listening(createTcpServer((socket) => mute.accept(socket)));
    const lost = get(world.ours, port).catch((error: Error) => error.message);
    await mute.until(() => mute.accepted === 1);
    world.ours.open(20);
    await mute.until(() => mute.accepted >= 5);
    // Comes behind all that were opened before it.
    const last = connect(port, '127.0.0.1');
    await mute.until(() => mute.accepted >= 6);
    expect(mute.accepted, 'the request’s, four more, and the last').toBe(6);
    last.destroy();
    mute.cut();
    expect(await lost).not.toBe(200);
    await mute.until(() => mute.accepted > 6);
    world.ours.destroy();
    mute.stop();
  });
});
