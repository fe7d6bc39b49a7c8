// Fronts before the emulator, which pass every call on and put right what it cannot show: MiniStack takes a bus's policy and
// forgets it, gives a role an id of its own, and the schedule of reconcile is off, lest it repairs what a test seeds.
import { createServer } from 'node:http';
import { listening } from '../listening.ts';

interface Front {
  readonly url: string;
  stop(): Promise<void>;
}

export interface BusFront extends Front {
  policy: string | undefined;
  /** Whether the schedule of reconcile is shown as enabled. */
  schedule: boolean;
}

export interface IamFront extends Front {
  /** The id that every role is shown with. */
  roleId: string;
}

type Rewrite = (action: string, text: string) => string;

async function startFront(endpoint: string, rewrite: Rewrite): Promise<Front> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      void (async () => {
        const headers = Object.fromEntries(
          ['content-type', 'x-amz-target', 'authorization', 'x-amz-date'].flatMap((name) =>
            typeof request.headers[name] === 'string' ? [[name, request.headers[name]]] : [],
          ),
        );
        const reply = await fetch(endpoint, { method: 'POST', headers, body: Buffer.concat(chunks) });
        const text = await reply.text();
        const action = String(request.headers['x-amz-target'] ?? '').split('.')[1] ?? '';
        const type = reply.headers.get('content-type') ?? 'application/x-amz-json-1.1';
        response.writeHead(reply.status, { 'content-type': type });
        response.end(reply.ok ? rewrite(action, text) : text);
      })();
    });
  });
  return listening(server);
}

export async function startBusFront(endpoint: string): Promise<BusFront> {
  const front = { policy: undefined as string | undefined, schedule: true };
  const rewrite: Rewrite = (action, text) => {
    if (action === 'DescribeEventBus' && front.policy !== undefined)
      return JSON.stringify({ ...JSON.parse(text), Policy: front.policy });
    if (action !== 'ListRules' || !front.schedule) return text;
    const reply = JSON.parse(text) as { Rules: { ScheduleExpression?: string }[] };
    const Rules = reply.Rules.map((rule) => (rule.ScheduleExpression ? { ...rule, State: 'ENABLED' } : rule));
    return JSON.stringify({ ...reply, Rules });
  };
  return Object.assign(front, await startFront(endpoint, rewrite));
}

export async function startIamFront(endpoint: string, roleId: string): Promise<IamFront> {
  const front = { roleId };
  const rewrite: Rewrite = (_action, text) =>
    text.replace(/<RoleId>\w+<\/RoleId>/g, `<RoleId>${front.roleId}</RoleId>`);
  return Object.assign(front, await startFront(endpoint, rewrite));
}
