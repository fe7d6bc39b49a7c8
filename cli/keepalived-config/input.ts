// What a keepalived configuration is made from, and why a wrong one is refused.
//
// Invariant: what `checked` lets through needs no escaping in keepalived's language: no blank, quote, brace or `#`.
// Limit: it knows nothing of the VPC. `vipshift vip add` checks that the VIP is outside every CIDR.
import { BlockList, isIP, isIPv4 } from 'node:net';
import { type CliError, usage } from '../command/exit.ts';

/** Where the address is: on the loopback of every node for good, or moved by keepalived. */
export type Hold = 'both' | 'master';

export interface KeepalivedNode {
  readonly name: string;
  /** The private address that the nodes use for VRRP. */
  readonly address: string;
  readonly interface: string;
}

export interface KeepalivedInput {
  /** VRRP instance; what `instance NAME = vip` in notify.conf names. */
  readonly instance: string;
  readonly routerId: number;
  /** In order of preference: the first one has the highest priority. */
  readonly nodes: readonly KeepalivedNode[];
  /** The VIP's addresses, with or without /32 or /128. */
  readonly addresses: readonly string[];
  readonly hold: Hold;
  readonly advertS: number;
  /** How much later than the node before it in the order a node begins to take part, so that none flaps at a common boot. */
  readonly startupDelayS: number;
  /** Whether a node of higher priority takes the VIP back as soon as it can. */
  readonly preempt: boolean;
  /** A process that has to run, as in /proc/PID/comm. */
  readonly process?: string | undefined;
  /** An address that has to answer, asked once a second. */
  readonly checkUrl?: string | undefined;
  readonly scriptUser: string;
  /** The service's TCP ports, for the security group. */
  readonly ports: readonly number[];
  /** 1 in it puts the node into FAULT, 0 ends that. */
  readonly demoteFile: string;
  /** Where vipshift-notify says that the node leaves: 2 puts it into FAULT, 1 below all nodes that stay. */
  readonly leavingFile: string;
  readonly fifo: string;
  /** Only to say whether the adverts are too quick for it. */
  readonly instanceType?: string | undefined;
}

export const keepalivedDefaults = {
  instance: 'VI_1',
  routerId: 51,
  hold: 'both',
  advertS: 1,
  startupDelayS: 1,
  preempt: false,
  scriptUser: 'root',
  ports: [80],
  demoteFile: '/run/vipshift/demote',
  leavingFile: '/run/vipshift/leaving',
  fifo: '/run/vipshift/notify.fifo',
  interface: 'ens5',
} as const;

/** Priorities go down from here; 255 would mean that the node owns the address. */
export const PRIORITY_MAX = 254;
const NODES_MAX = 16;

const WORD = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const PATH = /^\/[A-Za-z0-9._/@:+-]+$/;

const unusable = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  unusable.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  unusable.addSubnet(net, bits, 'ipv6');

/** The input with its addresses bare; throws the first complaint about it. */
export function checked(input: KeepalivedInput): KeepalivedInput {
  const addresses = input.addresses.map(bareAddress);
  for (const complaint of [
    complaintOfNodes(input.nodes, addresses),
    complaintOfAddresses(addresses),
    complaintOfNumbers(input),
    complaintOfWords(input),
    complaintOfCheck(input),
  ])
    if (complaint !== undefined) throw complaint;
  return { ...input, addresses };
}

function bareAddress(text: string): string {
  const [address = '', bits, ...rest] = text.split('/');
  const wanted = isIPv4(address) ? '32' : '128';
  if (isIP(address) === 0 || rest.length > 0)
    throw usage(`address "${text}" is no IP address`, 'give one such as --address 192.168.255.10');
  if (bits !== undefined && bits !== wanted)
    throw usage(
      `address "${text}" has the prefix /${bits}, expected /${wanted}: a VIP is one address`,
      'leave the prefix out; several addresses take several --address',
    );
  return address;
}

function complaintOfAddresses(addresses: readonly string[]): CliError | undefined {
  if (addresses.length === 0)
    return usage('no address of the VIP', 'give at least one: --address 192.168.255.10');
  const twice = addresses.find((address, index) => addresses.indexOf(address) !== index);
  if (twice !== undefined) return usage(`address ${twice} is given twice`, 'leave one of the two out');
  const bad = addresses.find(isUnusable);
  if (bad !== undefined)
    return usage(
      `address ${bad} is loopback, link-local, multicast or unspecified`,
      'take a private address outside every CIDR of the VPC, such as 192.168.255.10',
    );
  return undefined;
}

const isUnusable = (address: string): boolean => unusable.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');

function complaintOfNodes(
  nodes: readonly KeepalivedNode[],
  addresses: readonly string[],
): CliError | undefined {
  const example = '--node a=10.0.1.10 --node b=10.0.2.10';
  if (nodes.length < 2)
    return usage(
      `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}, expected at least 2`,
      `name them: ${example}`,
    );
  if (nodes.length > NODES_MAX)
    return usage(
      `${nodes.length} nodes, expected at most ${NODES_MAX}`,
      'use one instance per group of nodes',
    );
  for (const [index, node] of nodes.entries()) {
    const others = nodes.slice(0, index);
    if (!WORD.test(node.name))
      return usage(
        `node name "${node.name}" is not of letters, digits, ".", "_" and "-"`,
        `as in ${example}`,
      );
    if (isIP(node.address) === 0 || isUnusable(node.address))
      return usage(
        `node ${node.name} has the address "${node.address}", expected the private address of its network interface`,
        `as in ${example}`,
      );
    if (!/^[A-Za-z0-9._-]{1,15}$/.test(node.interface))
      return usage(
        `node ${node.name} has the interface "${node.interface}", expected a name such as ens5`,
        'ip link shows its name on the node',
      );
    if (others.some((other) => other.name === node.name))
      return usage(`two nodes are called ${node.name}`, 'give each a name of its own');
    if (others.some((other) => other.address === node.address))
      return usage(`two nodes have the address ${node.address}`, 'give each its own');
    if (isIP(node.address) !== isIP(nodes[0]!.address))
      return usage('some nodes have IPv4 and some IPv6 addresses', 'VRRP needs the same family on all nodes');
    if (addresses.includes(node.address))
      return usage(
        `${node.address} is both node ${node.name} and the VIP`,
        'the VIP is an address of no interface, outside every CIDR of the VPC',
      );
  }
  return undefined;
}

function complaintOfNumbers(input: KeepalivedInput): CliError | undefined {
  const { routerId, advertS, startupDelayS, ports } = input;
  if (!Number.isInteger(routerId) || routerId < 1 || routerId > 255)
    return usage(
      `router id is ${Number.isNaN(routerId) ? 'not a number' : routerId}, expected a whole number from 1 to 255`,
      'as in --router-id 51',
    );
  const centiseconds = Math.round(advertS * 100);
  if (!(Math.abs(advertS * 100 - centiseconds) < 1e-6 && centiseconds >= 1 && centiseconds <= 4095))
    return usage(
      `advert interval is ${advertS} s, expected 0.01 to 40.95 in steps of 0.01 (VRRP version 3 has centiseconds)`,
      'as in --advert 0.1',
    );
  if (!(startupDelayS >= 0 && startupDelayS <= 60))
    return usage(`startup delay is ${startupDelayS} s, expected 0 to 60`, 'as in --startup-delay 1');
  const port = ports.find((one) => !Number.isInteger(one) || one < 1 || one > 65_535);
  if (port !== undefined || ports.length === 0)
    return usage(`port is ${port ?? 'missing'}, expected 1 to 65535`, 'as in --port 443');
  return undefined;
}

function complaintOfWords(input: KeepalivedInput): CliError | undefined {
  if (!WORD.test(input.instance))
    return usage(
      `instance "${input.instance}" is not of letters, digits, ".", "_" and "-"`,
      'as in --instance VI_WEB',
    );
  if (!WORD.test(input.scriptUser))
    return usage(
      `script user is "${input.scriptUser}", expected a user of the nodes`,
      'as in --script-user keepalived_script',
    );
  for (const [option, path, example] of [
    ['demote-file', input.demoteFile, 'demote'],
    ['leaving-file', input.leavingFile, 'leaving'],
    ['fifo', input.fifo, 'notify.fifo'],
  ] as const)
    if (!PATH.test(path))
      return usage(
        `--${option} is "${path}", expected an absolute path`,
        `as in --${option} /run/vipshift/${example}`,
      );
  const { demoteFile, leavingFile, fifo } = input;
  if (demoteFile === fifo || leavingFile === fifo)
    return usage(
      `${demoteFile === fifo ? 'demote' : 'leaving'} file and FIFO are both ${fifo}`,
      'give each its own path',
    );
  if (demoteFile === leavingFile)
    return usage(`demote file and leaving file are both ${demoteFile}`, 'give each its own path');
  return undefined;
}

function complaintOfCheck(input: KeepalivedInput): CliError | undefined {
  if (input.process !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._+:-]{0,14}$/.test(input.process))
    return usage(
      `process is "${input.process}", expected a name as in /proc/PID/comm, of at most 15 characters`,
      'as in --process nginx',
    );
  if (input.checkUrl !== undefined && !/^https?:\/\/[\w.[\]:-]+(\/[\w./?=%:+-]*)?$/.test(input.checkUrl))
    return usage(
      `check URL is "${input.checkUrl}", expected http:// or https://, host, and a path without blanks and quotes`,
      'as in --check-url http://127.0.0.1/healthy',
    );
  return undefined;
}
