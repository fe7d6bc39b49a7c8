/** One hop of an HTTP message: read whole, sent on whole, without the headers that belong to a single connection (RFC 9110 §7.6.1). */
import { type Agent, type IncomingMessage, request as send } from 'node:http';
import type { HttpReply, HttpRequest } from './aws-call.ts';

const hopByHop = [
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'proxy-connection',
];

export async function read(incoming: IncomingMessage): Promise<HttpRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { method = 'GET', url: path = '/', headers } = incoming;
  return { method, path, headers, body: Buffer.concat(chunks) };
}

export function forward(
  { method, path, headers, body }: HttpRequest,
  target: URL,
  agent: Agent,
): Promise<HttpReply> {
  const own = Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.includes(name)));
  const { hostname, port, host } = target;
  return new Promise((resolve, reject) => {
    const sent = send({ hostname, port, method, path, agent, headers: { ...own, host } }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const kept = Object.entries(incoming.headers).filter(([name]) => !hopByHop.includes(name));
        const all = Object.fromEntries(kept) as HttpReply['headers'];
        resolve({ status: incoming.statusCode ?? 502, headers: all, body: Buffer.concat(chunks) });
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
