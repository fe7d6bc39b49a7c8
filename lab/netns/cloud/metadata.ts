/**
 * Metadata: IMDS at its real address for both nodes. As on EC2, the caller decides what is answered: a connection is handed to
 * the metadata service of the instance whose address it comes from, anybody else's is closed.
 */
import { connect, createServer, type Server } from 'node:net';
import { type Imds, labCredentials, startImds } from '../../aws/imds.ts';
import type { Caller } from '../../aws/stack/function-url.ts';
import { type Sts, startSts } from '../../aws/sts.ts';
import { AWS_ADDRESS, IMDS_ADDRESS, NODE_ADDRESS, type NodeLabel } from '../sandbox/topology.ts';

export interface Identity {
  readonly instanceId: string;
  readonly zone: string;
}

export interface Metadata {
  readonly stsEndpoint: string;
  /** Whose credentials these are, as IAM knows it. */
  readonly callerOf: (accessKeyId: string) => Caller | undefined;
  /** From now on IMDS has these paths for this node, below /latest/meta-data/, besides the usual ones. */
  say(node: NodeLabel, paths: Readonly<Record<string, string>>): void;
  stop(): Promise<void>;
}

export interface MetadataInput {
  readonly nodes: Readonly<Record<NodeLabel, Identity>>;
  readonly region: string;
  readonly accountId: string;
  readonly roleId: string;
}

const ROLE_NAME = 'vipshift-node';

function accessKeyOf(label: NodeLabel): string {
  return `ASIALABNODE${label.toUpperCase()}00000001`;
}

export async function startMetadata(input: MetadataInput): Promise<Metadata> {
  const labels: readonly NodeLabel[] = ['a', 'b'];
  const services = new Map<string, Imds>();
  const said = new Map<NodeLabel, Readonly<Record<string, string>>>();
  for (const label of labels) {
    const { instanceId, zone } = input.nodes[label];
    const service = await startImds({
      instanceId,
      roleName: ROLE_NAME,
      region: input.region,
      availabilityZone: zone,
      accountId: input.accountId,
      credentials: () => ({ ...labCredentials(), accessKeyId: accessKeyOf(label) }),
      more: () => said.get(label) ?? {},
    });
    services.set(NODE_ADDRESS[label], service);
  }
  const callerOf = (accessKeyId: string): Caller | undefined => {
    const label = labels.find((candidate) => accessKeyOf(candidate) === accessKeyId);
    if (label === undefined) return undefined;
    const { instanceId } = input.nodes[label];
    return {
      ...{ ...labCredentials(), accessKeyId, accountId: input.accountId },
      userId: `${input.roleId}:${instanceId}`,
      userArn: `arn:aws:sts::${input.accountId}:assumed-role/${ROLE_NAME}/${instanceId}`,
    };
  };
  const sts: Sts = await startSts({
    host: AWS_ADDRESS,
    accountId: input.accountId,
    userIdOf: (key) => callerOf(key)?.userId,
  });
  const switchboard = await listenFor(services);
  return {
    stsEndpoint: sts.url,
    callerOf,
    say: (node, paths) => void said.set(node, paths),
    stop: async () => {
      switchboard.close();
      await Promise.all([sts.stop(), ...[...services.values()].map((service) => service.stop())]);
    },
  };
}

async function listenFor(services: ReadonlyMap<string, Imds>): Promise<Server> {
  const server = createServer((caller) => {
    const service = services.get(caller.remoteAddress ?? '');
    if (service === undefined) {
      caller.destroy();
      return;
    }
    const onward = connect(Number(new URL(service.url).port), '127.0.0.1');
    caller.pipe(onward).pipe(caller);
    for (const [one, other] of [
      [caller, onward],
      [onward, caller],
    ] as const)
      one.on('error', () => other.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(80, IMDS_ADDRESS, resolve);
  });
  return server;
}
