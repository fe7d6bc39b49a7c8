// keepalived's configuration of each node of one VIP.
//
// Invariant: the files differ in name, addresses, priority and startup delay only. Whatever fails a check puts the node into
// FAULT (weight 0) rather than lowering its priority: with nopreempt a lower priority would move nothing.
// Limit: for keepalived 2.2 and newer; one VRRP instance a file.

import { isIP } from 'node:net';
import { wrapped } from '../command/print/fit.ts';
import { onLoopback, remarksOn, securityRules } from './advice.ts';
import { checked, type KeepalivedInput, type KeepalivedNode, PRIORITY_MAX } from './input.ts';

/** The file of each node, by its name. Throws a Complaint about input that is not right. */
export function keepalivedConfig(input: KeepalivedInput): Readonly<Record<string, string>> {
  const good = checked(input);
  return Object.fromEntries(good.nodes.map((node, rank) => [node.name, fileOf(good, node, rank)]));
}

function fileOf(input: KeepalivedInput, node: KeepalivedNode, rank: number): string {
  const blocks = [
    heading(input, node),
    globalDefs(input, node, rank),
    demoteFileBlock(input),
    leavingFileBlock(input),
    ...processBlock(input),
    ...scriptBlock(input),
    instanceBlock(input, node, rank),
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

const heading = (input: KeepalivedInput, node: KeepalivedNode): readonly string[] => [
  `# keepalived of node ${node.name}, by vipshift keepalived-config: /etc/keepalived/keepalived.conf, for keepalived 2.2 or newer.`,
  '#',
  '# Security groups:',
  ...securityRules(input).map((rule) => `#   ${rule}`),
  '#',
  ...remarksOn(input).flatMap(comment),
];

/** As a comment of at most 120 columns. */
const comment = (text: string): readonly string[] =>
  wrapped(text, 116).map((line, n) => (n === 0 ? `# - ${line}` : `#   ${line}`));

const block = (head: string, lines: readonly string[]): readonly string[] => [
  `${head} {`,
  ...lines.map((line) => `    ${line}`),
  '}',
];

const globalDefs = (input: KeepalivedInput, node: KeepalivedNode, rank: number): readonly string[] =>
  block('global_defs', [
    `router_id ${node.name}`,
    'enable_script_security',
    `script_user ${input.scriptUser}`,
    'vrrp_version 3',
    ...(rank * input.startupDelayS > 0 ? [`vrrp_startup_delay ${rank * input.startupDelayS}`] : []),
    'vrrp_higher_prio_send_advert true',
    `vrrp_notify_fifo ${input.fifo} root`,
  ]);

const demoteFileBlock = ({ demoteFile }: KeepalivedInput): readonly string[] =>
  block('track_file demote', [`file "${demoteFile}"`, 'weight 0', 'init_file 0']);

/**
 * Below every node that stays, and above 0: 16 nodes have priorities from 254 to 239. Twice that is beyond -253, and FAULT
 * (docs/decisions/0047).
 */
export const LEAVING_WEIGHT = -200;

const leavingFileBlock = ({ leavingFile }: KeepalivedInput): readonly string[] =>
  block('track_file leaving', [`file "${leavingFile}"`, `weight ${LEAVING_WEIGHT}`, 'init_file 0']);

const processBlock = ({ process }: KeepalivedInput): readonly (readonly string[])[] =>
  process === undefined
    ? []
    : [block('vrrp_track_process service', [`process ${process}`, 'weight 0', 'quorum 1', 'delay 0.5'])];

const scriptBlock = ({ checkUrl, scriptUser }: KeepalivedInput): readonly (readonly string[])[] =>
  checkUrl === undefined
    ? []
    : [
        block('vrrp_script answers', [
          `script "/usr/bin/curl -q -sf -o /dev/null --max-time 1 ${checkUrl}"`,
          'interval 1',
          'timeout 2',
          'fall 2',
          'rise 2',
          'weight 0',
          `user ${scriptUser}`,
        ]),
      ];

function instanceBlock(input: KeepalivedInput, node: KeepalivedNode, rank: number): readonly string[] {
  const { own, other } = heldAddresses(input, node);
  const peers = input.nodes.filter((one) => one.name !== node.name).map((one) => one.address);
  const tracked = (kind: string, ...names: readonly string[]): readonly string[] =>
    block(`track_${kind}`, names);
  return block(`vrrp_instance ${input.instance}`, [
    // Also with preemption: a node that starts as MASTER takes the VIP before it has received any advert.
    'state BACKUP',
    ...(input.preempt ? [] : ['nopreempt']),
    `interface ${node.interface}`,
    `virtual_router_id ${input.routerId}`,
    `priority ${PRIORITY_MAX - rank}`,
    `advert_int ${input.advertS}`,
    `unicast_src_ip ${node.address}`,
    ...block('unicast_peer', peers),
    'check_unicast_src',
    ...tracked('file', 'demote', 'leaving'),
    ...(input.process === undefined ? [] : tracked('process', 'service')),
    ...(input.checkUrl === undefined ? [] : tracked('script', 'answers')),
    ...block('virtual_ipaddress', own),
    ...(other.length === 0 ? [] : block('virtual_ipaddress_excluded', other)),
  ]);
}

/**
 * What keepalived adds and removes: addresses of the family that the nodes use for VRRP, and of the other. keepalived refuses an
 * instance without any of the first kind, so where there is none it gets a decoy out of the ranges for documentation.
 */
function heldAddresses(
  input: KeepalivedInput,
  node: KeepalivedNode,
): { readonly own: readonly string[]; readonly other: readonly string[] } {
  const held = input.hold === 'master' ? input.addresses : [];
  const family = isIP(node.address);
  const own = held.filter((address) => isIP(address) === family);
  const decoy = family === 4 ? `192.0.2.${input.routerId}` : `2001:db8::${input.routerId.toString(16)}`;
  return {
    own: (own.length === 0 ? [decoy] : own).map(onLoopback),
    other: held.filter((address) => isIP(address) !== family).map(onLoopback),
  };
}
