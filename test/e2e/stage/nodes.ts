// The two nodes as SSM and the bus know them, without keepalived: a command to demote one makes it say BACKUP and the other one MASTER, as VRRP
// would. lab/aws/emulator/emulator-fixes.py hands SendCommand to the listener here.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Command {
  readonly node: string;
  readonly document: string;
  readonly vip: string;
  readonly demoted: boolean;
}

export interface Nodes {
  readonly url: string;
  readonly commands: Command[];
  /** What the nodes do with a command; nothing by default. */
  onCommand: (command: Command) => Promise<void>;
  /** No agent of theirs answers. */
  dead: boolean;
  /** They take the command, and SSM's own answer gets lost. */
  mute: boolean;
  stop(): Promise<void>;
}

interface SendCommand {
  readonly DocumentName: string;
  readonly InstanceIds: readonly string[];
  readonly Parameters: { readonly Vip: readonly string[]; readonly Demoted: readonly string[] };
}

export async function startNodes(): Promise<Nodes> {
  const commands: Command[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { DocumentName, InstanceIds, Parameters } = JSON.parse(
        Buffer.concat(chunks).toString(),
      ) as SendCommand;
      const command = {
        node: InstanceIds[0]!,
        document: DocumentName,
        vip: Parameters.Vip[0]!,
        demoted: Parameters.Demoted[0] === '1',
      };
      if (nodes.dead) {
        response.writeHead(400).end();
        return;
      }
      commands.push(command);
      const { mute } = nodes;
      nodes.onCommand(command).catch((error: unknown) => console.error(error));
      if (mute) {
        response.writeHead(400).end(JSON.stringify({ code: 'InternalServerError', message: 'try again' }));
        return;
      }
      // As SSM: the answer is that the command was taken, not what became of it.
      response.end(JSON.stringify({ Command: { CommandId: `command-${commands.length}` } }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const nodes: Nodes = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    commands,
    onCommand: async () => {},
    dead: false,
    mute: false,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return nodes;
}
