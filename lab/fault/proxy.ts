/**
 * An HTTP proxy before an emulator that fails as AWS does: throttles, latency, refusals, resets and lost replies before and after the
 * effect, stale reads. So the real SDK with its real retries meets them.
 *
 * Invariant: whatever is not named by a rule passes unchanged; a request that was sent lands, also when its client has given up; every call
 * is logged with its times. Limit: HTTP/1.1 without TLS, whole bodies in memory; times are the proxy's, so a client's own are a little longer.
 */
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { awsCall, type HttpReply, type HttpRequest, refusal } from './aws-call.ts';
import { type LoggedCall, type OpenCall, openCall } from './call-log.ts';
import { forward, read } from './http-hop.ts';
import { type Rule, type RuleHandle, seeded } from './rule.ts';
import { type RuleBook, ruleBook, type Verdict } from './rule-book.ts';
import { type StaleReads, staleReads } from './stale-reads.ts';

export interface FaultProxyOptions {
  /** The emulator behind it: http://127.0.0.1:port. A function where the proxy has to be there first; asked at each call. */
  readonly target: string | (() => string);
  /** A free one by default. */
  readonly port?: number;
  readonly rules?: readonly Rule[];
  /** For chances and distributions: the same seed and order of calls give the same faults. */
  readonly seed?: number;
}

export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** In the order of their arrival; a call under way is in it with its end undefined. */
  readonly calls: readonly LoggedCall[];
  add(rule: Rule): RuleHandle;
  clearRules(): void;
  forgetCalls(): void;
  stop(): Promise<void>;
}

/** Node's default of 5 s is about as long as a test rests between two failovers: calls were then sent on connections that had just ended. */
const KEEP_IDLE_MS = 75_000;

export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { target } = options;
  const emulator = () => new URL(typeof target === 'string' ? target : target());
  const agent = new Agent({ keepAlive: true });
  const rules = ruleBook(seeded(options.seed ?? 1));
  for (const rule of options.rules ?? []) rules.add(rule);
  const ask = (request: HttpRequest) => forward(request, emulator(), agent);
  const calls: OpenCall[] = [];
  const path: Path = { ask, rules, stale: staleReads(ask, () => performance.now()), calls };
  const server = createServer((incoming, response) => {
    serve(path, incoming, response).catch((error: unknown) => broken(response, error));
  });
  server.keepAliveTimeout = KEEP_IDLE_MS;
  const port = await listen(server, options.port ?? 0);
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    agent.destroy();
    await closed;
  };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    calls,
    add: (rule) => rules.add(rule),
    clearRules: () => rules.clear(),
    forgetCalls: () => calls.splice(0),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** What a call goes through. */
interface Path {
  readonly ask: (request: HttpRequest) => Promise<HttpReply>;
  readonly rules: RuleBook;
  readonly stale: StaleReads;
  readonly calls: OpenCall[];
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function serve(path: Path, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const request = await read(incoming);
  const entry = openCall(awsCall(request));
  path.calls.push(entry);
  response.once('finish', () => end(entry, response.statusCode));
  response.once('close', () => end(entry, 'client gone'));
  const { requestMs, replyMs } = path.rules.delays(entry);
  if (requestMs > 0) await delay(requestMs);
  const verdict = path.rules.verdict(entry, performance.now());
  entry.fault = verdict?.does;
  if (verdict !== undefined && isBefore(verdict)) {
    act(verdict, entry, response);
    return;
  }
  const old =
    verdict?.does === 'stale' ? path.stale.asOf(request, performance.now() - verdict.ageMs) : undefined;
  const reply = old ?? (await land(path, request, entry));
  if (replyMs > 0) await delay(replyMs);
  act(verdict, entry, response, reply);
}

async function land({ ask, rules, stale }: Path, request: HttpRequest, entry: OpenCall): Promise<HttpReply> {
  if (entry.readsWeakly) stale.note(request);
  else if (rules.readsAreStale) {
    await stale.beforeChange();
    stale.changed();
  }
  const reply = await ask(request);
  entry.landed = reply.status;
  return reply;
}

function end(entry: OpenCall, outcome: LoggedCall['outcome']): void {
  entry.endMs ??= performance.now();
  entry.outcome ??= outcome;
}

function isBefore(verdict: Verdict): boolean {
  if (verdict.does === 'stale' || verdict.does === 'stall-body') return false;
  return verdict.after !== true;
}

/** Gives the client what the verdict leaves it of the reply. */
function act(
  verdict: Verdict | undefined,
  entry: OpenCall,
  response: ServerResponse,
  reply?: HttpReply,
): void {
  if (response.destroyed) return;
  if (verdict?.does === 'refuse') {
    const { code, message = `Injected ${code}.`, status } = verdict;
    answer(response, refusal(entry, code, message, status));
  } else if (verdict?.does === 'reset') {
    end(entry, 'reset');
    response.socket?.resetAndDestroy();
  } else if (verdict?.does === 'stall') {
    entry.outcome = 'stalled';
  } else if (verdict?.does === 'stall-body') {
    entry.outcome = 'stalled';
    answer(response, reply!, Math.floor(reply!.body.length / 2));
  } else {
    answer(response, reply!);
  }
}

/** The whole reply, or only its first bytes and then nothing more. */
function answer(response: ServerResponse, { status, headers, body }: HttpReply, onlyBytes?: number): void {
  response.writeHead(status, { ...headers, 'content-length': String(body.length) } as Record<string, string>);
  if (onlyBytes === undefined) response.end(body);
  else response.write(body.subarray(0, onlyBytes));
}

// The emulator is gone or broke the connection: so it is for the client.
function broken(response: ServerResponse, error: unknown): void {
  response.socket?.destroy(error instanceof Error ? error : new Error(String(error)));
}
