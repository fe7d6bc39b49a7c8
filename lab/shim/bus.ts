// A PutEvents endpoint over TLS on loopback that checks every signature, keeps what it accepted in order of arrival, and
// fails on request.
import type { ServerResponse } from 'node:http';
import { type Signer, signatureFault } from './signature.ts';
import { startTlsServer } from './tls-server.ts';

/** What becomes of one request. `lost`: accepted, but the reply never arrives. */
export type Fate =
  | { readonly kind: 'accept' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'status'; readonly status: number; readonly body?: string }
  | { readonly kind: 'partial'; readonly code: (index: number) => string | undefined };

export interface VrrpEvent {
  readonly source: string;
  readonly detailType: string;
  readonly bus: string;
  readonly detail: Detail;
  readonly arrivedAtMs: number;
}

export interface Detail {
  readonly version: number;
  readonly vip: string;
  readonly node: string;
  readonly state: string;
  readonly kind: string;
  readonly instance: string;
  readonly priority: number;
  readonly bootId: string;
  readonly seq: number;
  readonly since: number;
  readonly uptimeMs: number;
  readonly ageMs: number;
  readonly superseded: boolean;
  readonly dropped: number;
  readonly atMs: number;
  readonly shim: string;
  readonly stateFrom?: string;
  readonly leaving?: string;
  readonly atRisk?: boolean;
}

export interface Bus {
  readonly url: string;
  readonly caFile: string;
  /** Entries accepted, in order; a repeat after a lost reply is in here twice. */
  readonly accepted: VrrpEvent[];
  /**
   * The same of one kind, each once and in the order of their first arrival: under load a reply may be too late for the shim, which
   * then sends again what was accepted, together with what is new.
   */
  claims(kind: string): VrrpEvent[];
  /** Every request that arrived with a whole body, whatever became of it. */
  readonly requests: {
    readonly atMs: number;
    readonly entries: number;
    readonly fault: string | undefined;
  }[];
  /** Decides the next requests; default accepts. */
  fate: (request: number, entries: readonly VrrpEvent[]) => Fate;
  /** Whom signatures are checked against. */
  signer: Signer;
  /** Resolves as soon as `done` holds, which is checked after each request. */
  until(done: () => boolean, limitMs?: number): Promise<void>;
  stop(): Promise<void>;
}

interface Entry {
  readonly Source: string;
  readonly DetailType: string;
  readonly EventBusName: string;
  readonly Detail: string;
}

/** `said` is what the shim has said, for the message of an `until` that waited too long. */
export async function startBus(signer: Signer, said: () => string = () => ''): Promise<Bus> {
  const server = await startTlsServer('bus', (received, response) => {
    const fault = signatureFault(received, bus.signer);
    const entries = readEntries(received.body);
    bus.requests.push({ atMs: performance.timeOrigin + performance.now(), entries: entries.length, fault });
    if (fault) refuse(response, 403, 'InvalidSignatureException', fault);
    else deliver(bus, bus.fate(bus.requests.length, entries), entries, response);
  });
  const bus: Bus = {
    url: server.url,
    caFile: server.certFile,
    accepted: [],
    claims: (kind) => {
      const first = new Map<number, VrrpEvent>();
      for (const event of bus.accepted)
        if (event.detail.kind === kind && !first.has(event.detail.seq)) first.set(event.detail.seq, event);
      return [...first.values()];
    },
    requests: [],
    fate: () => ({ kind: 'accept' }),
    signer,
    until: (done, limitMs = 90_000) => server.until(done, { limitMs, found: () => summary(bus, said()) }),
    stop: () => server.stop(),
  };
  return bus;
}

const readEntries = (body: string): VrrpEvent[] =>
  (JSON.parse(body) as { Entries: Entry[] }).Entries.map((entry) => ({
    source: entry.Source,
    detailType: entry.DetailType,
    bus: entry.EventBusName,
    detail: JSON.parse(entry.Detail) as Detail,
    arrivedAtMs: performance.timeOrigin + performance.now(),
  }));

function refuse(response: ServerResponse, status: number, type: string, message: string): void {
  response.writeHead(status).end(JSON.stringify({ __type: `com.amazonaws.events#${type}`, message }));
}

function deliver(bus: Bus, fate: Fate, entries: readonly VrrpEvent[], response: ServerResponse): void {
  switch (fate.kind) {
    case 'accept':
    case 'partial': {
      const answers = entries.map((entry, index) => {
        const code = fate.kind === 'partial' ? fate.code(index) : undefined;
        // Braces and quotes in a message are what a careless reader of this answer would trip over.
        if (code) return { ErrorCode: code, ErrorMessage: 'it said "{\\"ErrorCode\\":\\"x\\"}" [0]' };
        bus.accepted.push(entry);
        return { EventId: `event-${bus.accepted.length}` };
      });
      const failed = answers.filter((answer) => 'ErrorCode' in answer).length;
      response.end(JSON.stringify({ FailedEntryCount: failed, Entries: answers }));
      return;
    }
    case 'lost':
      bus.accepted.push(...entries);
      response.socket?.destroy();
      return;
    case 'reset':
      response.socket?.destroy();
      return;
    case 'hang':
      return;
    case 'status':
      response.writeHead(fate.status).end(fate.body ?? '');
      return;
    default:
      fate satisfies never;
  }
}

const summary = (bus: Bus, said: string): string =>
  `${bus.requests.length} requests, ${bus.accepted.length} entries accepted, last fault ${bus.requests.at(-1)?.fault}; the shim said:\n${said.split('\n').slice(-20).join('\n')}`;
