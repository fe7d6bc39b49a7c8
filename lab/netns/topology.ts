/**
 * Topology: the namespaces of the lab and the wires between them.
 *
 *   client 10.0.9.10 ──────┐                 ┌── node a 10.0.1.10 and, for the EIP, 10.0.1.20 (zone a)
 *   internet 198.51.100.10 ─┤ router = the VPC ├── node b 10.0.2.10 and, for the EIP, 10.0.2.20 (zone b)
 *                          └────────┬────────┘
 *                      aws 10.0.100.10, IMDS 169.254.169.254 (the sandbox's own first namespace)
 *
 * A node has two ENIs, so two wires: one for the service, one for the EIP, with source-based routing for the second.
 * Invariant: a wire's router end is never taken down. The kernel would flush the routes through it, which a VPC
 * does not do; faults are blackhole rules instead.
 */
import { execFileSync } from 'node:child_process';

export type NodeLabel = 'a' | 'b';
export type Place = NodeLabel | 'client' | 'internet';

/** One wire: the router's end, named after what it leads to, and the far end inside a namespace. */
export interface Wire {
  readonly port: string;
  readonly routerAddress: string;
  readonly place: Place;
  readonly device: string;
  readonly address: string;
}

export const ROUTER = 'router';
export const AWS_ADDRESS = '10.0.100.10';
export const IMDS_ADDRESS = '169.254.169.254';
export const VIP = '192.0.2.51';

export const WIRES: readonly Wire[] = [
  { port: 'to-a', routerAddress: '10.0.1.1', place: 'a', device: 've0', address: '10.0.1.10' },
  { port: 'to-a-eip', routerAddress: '10.0.1.1', place: 'a', device: 've1', address: '10.0.1.20' },
  { port: 'to-b', routerAddress: '10.0.2.1', place: 'b', device: 've0', address: '10.0.2.10' },
  { port: 'to-b-eip', routerAddress: '10.0.2.1', place: 'b', device: 've1', address: '10.0.2.20' },
  { port: 'to-client', routerAddress: '10.0.9.1', place: 'client', device: 've0', address: '10.0.9.10' },
  {
    port: 'to-net',
    routerAddress: '198.51.100.1',
    place: 'internet',
    device: 've0',
    address: '198.51.100.10',
  },
];

export const NODE_ADDRESS: Readonly<Record<NodeLabel, string>> = { a: '10.0.1.10', b: '10.0.2.10' };
export const EIP_ADDRESS: Readonly<Record<NodeLabel, string>> = { a: '10.0.1.20', b: '10.0.2.20' };
/** Where packets to an ENI leave the router. */
export const PORT_TO: Readonly<Record<string, string>> = Object.fromEntries(
  WIRES.map((wire) => [wire.address, wire.port]),
);

const SECOND_ENI_TABLE = 20;

function wireCommands(wire: Wire): string[] {
  const inside = `ip -n ${wire.place}`;
  const gateway = `${wire.routerAddress} dev ${wire.device}`;
  const commands = [
    `ip link add ${wire.port} netns ${ROUTER} type veth peer name ${wire.device} netns ${wire.place}`,
    `ip -n ${ROUTER} addr add ${wire.routerAddress}/32 dev ${wire.port}`,
    `ip -n ${ROUTER} link set ${wire.port} up`,
    `ip -n ${ROUTER} route add ${wire.address}/32 dev ${wire.port}`,
    `${inside} addr add ${wire.address}/32 dev ${wire.device}`,
    `${inside} link set ${wire.device} up`,
  ];
  if (wire.device === 've0') {
    commands.push(`${inside} route add ${gateway}`);
    commands.push(`${inside} route add default via ${gateway} src ${wire.address}`);
  } else {
    commands.push(`${inside} route add ${gateway} table ${SECOND_ENI_TABLE}`);
    commands.push(`${inside} route add default via ${gateway} table ${SECOND_ENI_TABLE}`);
    commands.push(`${inside} rule add from ${wire.address}/32 lookup ${SECOND_ENI_TABLE} pref 100`);
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
    ...WIRES.flatMap(wireCommands),
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
