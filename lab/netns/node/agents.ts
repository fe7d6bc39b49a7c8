/**
 * Agents: the nodes' SSM agents. A command that the runbook sends with the stack's own document is run as a shell script on the
 * machine that it names, in that machine's namespaces.
 *
 * As on AWS, the answer to SendCommand says that the command was taken, not what became of it; an instance that is down, or whose
 * agent is, is refused. Limit: a command is delivered at once, and its output goes to the machine's log only.
 */
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { listening } from '../../aws/listening.ts';
import { type Given, type SsmDocument, scriptOf } from '../../aws/ssm-document.ts';
import type { LabNode } from './node.ts';

export interface Agents {
  /** For LocalAwsOptions.ssmAgents. */
  readonly url: string;
  /** From now on they answer for these nodes. */
  attach(nodes: readonly LabNode[]): void;
  stop(): Promise<void>;
}

interface SendCommand {
  readonly InstanceIds: readonly string[];
  readonly Parameters: Given;
  readonly Content: SsmDocument | null;
}

type Reply =
  | { readonly status: 200; readonly commandId: string }
  | { readonly status: 400; readonly code: string; readonly message: string };

export async function startAgents(): Promise<Agents> {
  let attached: readonly LabNode[] = [];
  let commands = 0;
  const server = createServer((request, response) => {
    void answer(request).then((reply) => {
      const { status, ...refusal } = reply;
      response.writeHead(status, { 'content-type': 'application/json' });
      const said = reply.status === 200 ? { Command: { CommandId: reply.commandId } } : refusal;
      response.end(JSON.stringify(said));
    });
  });
  const answer = (request: IncomingMessage): Promise<Reply> =>
    bodyOf(request)
      .then((body) => taken(JSON.parse(body) as SendCommand, attached, ++commands))
      .catch((error: unknown) => refused('InternalServerError', String(error)));
  const listener = await listening(server);
  return {
    url: listener.url,
    stop: () => listener.stop(),
    attach: (nodes) => {
      attached = nodes;
    },
  };
}

const refused = (code: string, message: string): Reply => ({ status: 400, code, message });

function taken(asked: SendCommand, nodes: readonly LabNode[], number: number): Reply {
  if (asked.Content === null) return refused('InvalidDocument', 'there is no such document');
  let script: string;
  try {
    script = scriptOf(asked.Content, asked.Parameters);
  } catch (error) {
    return refused('InvalidParameters', (error as Error).message);
  }
  const machines = asked.InstanceIds.map(
    (id) => nodes.find(({ instanceId }) => instanceId === id)?.machine,
  ).filter((machine) => machine?.isUp === true);
  if (machines.length !== asked.InstanceIds.length)
    return refused('InvalidInstanceId', `${asked.InstanceIds.join(', ')}: not in a valid state for account`);
  const name = `command-${number}`;
  for (const machine of machines) {
    writeFileSync(join(machine!.directory, 'run', 'machine', name), script);
    // A machine that dies under it is the scenario's business; the log has the script's own words.
    machine!.console(`sh /run/machine/${name} || echo "${name} ended with status $?"`).catch(() => undefined);
  }
  return { status: 200, commandId: name };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
