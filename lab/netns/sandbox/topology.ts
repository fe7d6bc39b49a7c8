/**
 * Topology: the namespaces of the lab and the wires between them.
 *
 *   client 10.0.11.10 ──────┐                  ┌── node a 10.0.1.10, .20 for the VIP, .30 for the EIP (zone a)
 *   internet 198.51.100.10 ─┤ router = the VPC ├── node b 10.0.2.10, .20 for the VIP, .30 for the EIP (zone b)
 *                           └────────┬─────────┘
 *                      aws 10.0.100.10, IMDS 169.254.169.254 (the sandbox's own first namespace)
 *
 * Addresses are those of lab/aws/stack/vpc.ts. A node has three ENIs, so three wires: its own, the service's, the EIP's; what comes from
 * the VIP or from the EIP's address leaves by the ENI it came to (source-based routing), as security groups want it on AWS.
 * Invariant: a wire's router end is never taken down. The kernel would flush the routes through it, which a VPC
 * does not do; faults are blackhole rules instead.
 */
import { execFileSync } from 'node:child_process';

export type NodeLabel = 'a' | 'b';
export type Place = NodeLabel | 'client' | 'internet';

/** One wire: the router's end, named after what it leads to, and the far end inside a namespace. */
export interface Link {
  readonly port: string;
  readonly routerAddress: string;
  readonly place: Place;
  readonly device: string;
  readonly address: string;
}

export const ROUTER = 'router';
export const AWS_ADDRESS = '10.0.100.10';
export const IMDS_ADDRESS = '169.254.169.254';
/** As in lab/aws/stack/vpc.ts, which cloud.ts checks. */
export const VIP = '192.168.255.10';

function nodeLinks(place: NodeLabel, subnet: string): Link[] {
  const ports = (port: string, device: string, host: number) => ({
    port,
    routerAddress: `${subnet}.1`,
    place,
    device,
    address: `${subnet}.${host}`,
  });
  return [
    ports(`to-${place}`, 've0', 10),
    ports(`to-${place}-vip`, 've1', 20),
    ports(`to-${place}-eip`, 've2', 30),
  ];
}

export const LINKS: readonly Link[] = [
  ...nodeLinks('a', '10.0.1'),
  ...nodeLinks('b', '10.0.2'),
  { port: 'to-client', routerAddress: '10.0.11.1', place: 'client', device: 've0', address: '10.0.11.10' },
  {
    port: 'to-net',
    routerAddress: '198.51.100.1',
    place: 'internet',
    device: 've0',
    address: '198.51.100.10',
  },
];

export const NODE_ADDRESS: Readonly<Record<NodeLabel, string>> = { a: '10.0.1.10', b: '10.0.2.10' };
export const SERVICE_ADDRESS: Readonly<Record<NodeLabel, string>> = { a: '10.0.1.20', b: '10.0.2.20' };
export const EIP_ADDRESS: Readonly<Record<NodeLabel, string>> = { a: '10.0.1.30', b: '10.0.2.30' };
/** Where packets to an ENI leave the router. */
export const PORT_TO: Readonly<Record<string, string>> = Object.fromEntries(
  LINKS.map((ports) => [ports.address, ports.port]),
);

/** The node whose ENI has this private address. */
export function nodeAt(address: string | undefined): NodeLabel | undefined {
  return (['a', 'b'] as const).find((node) =>
    [NODE_ADDRESS[node], SERVICE_ADDRESS[node], EIP_ADDRESS[node]].includes(address ?? ''),
  );
}

/** The routing table of a node's further ENIs, and whose packets use it in addition to the ENI's own. */
const ENI_TABLE: Readonly<Record<string, { table: number; also: readonly string[] }>> = {
  ve1: { table: 20, also: [VIP] },
  ve2: { table: 30, also: [] },
};

function linkCommands(ports: Link): string[] {
  const inside = `ip -n ${ports.place}`;
  const gateway = `${ports.routerAddress} dev ${ports.device}`;
  const commands = [
    `ip link add ${ports.port} netns ${ROUTER} type veth peer name ${ports.device} netns ${ports.place}`,
    `ip -n ${ROUTER} addr add ${ports.routerAddress}/32 dev ${ports.port}`,
    `ip -n ${ROUTER} link set ${ports.port} up`,
    `ip -n ${ROUTER} route add ${ports.address}/32 dev ${ports.port}`,
    `${inside} addr add ${ports.address}/32 dev ${ports.device}`,
    `${inside} link set ${ports.device} up`,
  ];
  const own = ENI_TABLE[ports.device];
  if (own === undefined) {
    commands.push(`${inside} route add ${gateway}`);
    commands.push(`${inside} route add default via ${gateway} src ${ports.address}`);
  } else {
    const { table, also } = own;
    commands.push(`${inside} route add ${gateway} table ${table}`);
    commands.push(`${inside} route add default via ${gateway} table ${table}`);
    for (const source of [ports.address, ...also]) {
      commands.push(`${inside} rule add from ${source}/32 lookup ${table} pref ${100 + table}`);
    }
  }
  return commands;
}

/** Runs inside the namespace: every device, also those to come. */
const QUIET_KERNEL = [
  'for f in all default $(ls /proc/sys/net/ipv4/conf); do d=/proc/sys/net/ipv4/conf/$f',
  'echo 0 > $d/rp_filter; echo 0 > $d/send_redirects; echo 0 > $d/accept_redirects; done',
].join('; ');

function sysctl(name: string, value: number): string {
  return `echo ${value} > /proc/sys/net/ipv4/${name}`;
}

/** The commands that build everything; run once, inside the sandbox. */
export function buildCommands(): string[] {
  const places: Place[] = ['a', 'b', 'client', 'internet'];
  return [
    ...[ROUTER, ...places].flatMap((name) => [`ip netns add ${name}`, `ip -n ${name} link set lo up`]),
    ...LINKS.flatMap(linkCommands),
    `ip link add to-aws netns ${ROUTER} type veth peer name aws0`,
    `ip -n ${ROUTER} addr add 10.0.100.1/24 dev to-aws`,
    `ip -n ${ROUTER} link set to-aws up`,
    `ip -n ${ROUTER} route add ${IMDS_ADDRESS}/32 via ${AWS_ADDRESS}`,
    `ip addr add ${AWS_ADDRESS}/24 dev aws0`,
    `ip addr add ${IMDS_ADDRESS}/32 dev lo`,
    'ip link set aws0 up',
    'ip route add default via 10.0.100.1',
    ...[ROUTER, ...places].map((name) => `ip netns exec ${name} bash -c '${QUIET_KERNEL}'`),
    QUIET_KERNEL,
    `ip netns exec ${ROUTER} bash -c '${sysctl('ip_forward', 1)}'`,
    ...['a', 'b'].map((name) => `ip netns exec ${name} bash -c '${sysctl('ip_nonlocal_bind', 1)}'`),
  ];
}

export function buildTopology(): void {
  try {
    execFileSync('bash', ['-e'], {
      input: buildCommands().join('\n'),
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: 20_000,
    });
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr?.toString().trim() ?? String(error);
    throw new Error(`the lab's namespaces could not be built: ${said}`, { cause: error });
  }
}
