// Connections to EC2 that are opened before the requests which want them. A failover describes over three, and then wants one
// for each table at once; where an idle environment has lost them, the burst waits for that many TLS handshakes. They are made
// while the describes are under way, a few at a time, so that the replies in between do not wait for the processor.
//
// Invariant: at most `maxSockets` in all. What is opened and not wanted is closed by EC2 and keeps no process alive.
// Limit: an endpoint is known from the first request to it; before that nothing is opened. For TLS only.
import { Agent, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';

/** Each is about a millisecond of CPU, and a describe may have to wait for all that are under way. */
const HANDSHAKES_AT_ONCE = 4;

export interface Connections {
  /** For all clients of the service. */
  readonly agent: Agent;
  /** So many requests follow soon: opens what is missing for all of them to go out at once. */
  open(requests: number): void;
  destroy(): void;
}

export function connections(maxSockets: number): Connections {
  const agent = new Agent({ keepAlive: true, maxSockets });
  const connect = agent.createConnection.bind(agent);
  /** Opened or being opened, the oldest first. */
  const ready: Socket[] = [];
  let latest: RequestOptions | undefined;
  let missing = 0;
  let underWay = 0;

  agent.createConnection = (options, callback) => {
    latest = { ...options };
    const socket = ready.shift();
    if (socket !== undefined) return socket.ref();
    missing = Math.max(0, missing - 1);
    return connect(options, callback);
  };

  function openNext(): void {
    while (missing > 0 && underWay < HANDSHAKES_AT_ONCE) {
      missing--;
      underWay++;
      const socket = connect({ ...latest }) as Socket;
      socket.unref();
      ready.push(socket);
      const settled = once(() => {
        underWay--;
        openNext();
      });
      socket.once('secureConnect', settled);
      // Who does not read from it does not hear that the server has closed it.
      socket.resume();
      // The request that has it by then hears of an error itself.
      socket.on('error', ignore);
      socket.once('close', () => {
        const at = ready.indexOf(socket);
        if (at >= 0) ready.splice(at, 1);
        settled();
      });
    }
  }

  return {
    agent,
    open(requests) {
      if (latest === undefined) return;
      const there = countOf(agent.freeSockets) + countOf(agent.sockets) + ready.length;
      missing = Math.max(0, Math.min(requests, maxSockets) - there);
      openNext();
    },
    destroy() {
      missing = 0;
      for (const socket of ready.splice(0)) socket.destroy();
      agent.destroy();
    },
  };
}

const ignore = () => undefined;

const countOf = (sockets: Readonly<NodeJS.Dict<readonly Socket[]>>): number =>
  Object.values(sockets).reduce((sum, some) => sum + (some?.length ?? 0), 0);

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
