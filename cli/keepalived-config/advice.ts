// What a keepalived configuration needs around it: security groups, the address on the loopback, and what to know of the
// choices made.
import { isIPv4 } from 'node:net';
import { type KeepalivedInput, PRIORITY_MAX } from './input.ts';

export interface SecurityRule {
  readonly direction: 'inbound' | 'outbound';
  readonly protocol: string;
  readonly port?: number;
  readonly peer: string;
}

/** The rules of the nodes' security group, as data. */
export const securityRuleList = (input: KeepalivedInput): readonly SecurityRule[] => [
  { direction: 'inbound', protocol: '112', peer: "the nodes' own security group" },
  { direction: 'outbound', protocol: '112', peer: "the nodes' own security group" },
  ...input.ports.map(
    (port): SecurityRule => ({
      direction: 'inbound',
      protocol: 'tcp',
      port,
      peer: 'the CIDRs of the clients',
    }),
  ),
];

export const securityRules = (input: KeepalivedInput): readonly string[] => [
  ...securityRuleList(input).map(
    ({ direction, protocol, port, peer }) =>
      `${direction.padEnd(8)} ${protocol === '112' ? 'protocol 112 (VRRP)' : `${protocol} ${port}`} ${direction === 'inbound' ? 'from' : 'to'} ${peer}`,
  ),
  "in the clients' groups: outbound to the VIP by its CIDR; a rule that names the nodes' group does not match a VIP",
  "in network ACLs between the nodes' subnets: protocol 112 in both directions",
];

/** Where the workflow writes, as the stack's parameter handOverFolder has it by default. */
const HAND_OVER = '/run/vipshift/hand-over/';

export const remarksOn = (input: KeepalivedInput): readonly string[] => [
  `Source/destination check off on the interface of every node (vipshift switches it off, and records it).`,
  input.hold === 'both'
    ? `hold both: ${input.addresses.join(', ')} stays on lo of every node (${LOOPBACK_UNIT}), and the route table alone decides who serves. Below is a decoy: keepalived refuses an instance without an address.`
    : `hold master: keepalived adds the VIP to lo and removes it. The service listens on all addresses, or on the VIP with net.ipv4.ip_nonlocal_bind=1.`,
  ...(input.hold === 'master' && !input.demoteFile.startsWith(HAND_OVER)
    ? [
        `The stack’s failovers via keepalived demote by ${HAND_OVER}<name of the VIP>, and not by this file: make this one with --demote-file ${HAND_OVER}<name of the VIP>.`,
      ]
    : []),
  `To demote this node: "echo 1 > ${input.demoteFile}" puts it into FAULT at once and the VIP moves; with 0 it takes part again. ${input.leavingFile} is vipshift-notify’s own: when AWS warns the node, it gives the VIP away by that one, and is a standby afterwards.`,
  input.preempt
    ? 'preempt: a node of higher priority takes the VIP back as soon as it runs, which is a second interruption.'
    : 'nopreempt: the VIP stays where it is until its node fails or is demoted. It needs state BACKUP on every node.',
  ...quickness(input),
  'Before a reboot or poweroff nothing has to be done once "vipshift-notify setup --service UNIT" on this node has named what answers on the VIP, such as nginx.service.',
  ...(input.checkUrl !== undefined && input.scriptUser !== 'root'
    ? [
        'keepalived before 2.2.8 ends "keepalived -t" with "Terminated" (143) if a script is not run as root: its issue 2587.',
      ]
    : []),
  `notify.conf of vipshift-notify: instance ${input.instance} = <name of the VIP>. Never set fifo_write_vrrp_states_on_reload: it repeats states that did not change.`,
];

/** Which families earn CPU credits, by AWS's documentation of burstable instances. */
const BURSTABLE = /^t\d/;

function quickness({ advertS, instanceType }: KeepalivedInput): readonly string[] {
  const withinS = Number((advertS * (3 + (256 - PRIORITY_MAX + 1) / 256)).toFixed(2));
  const after = `A dead node is noticed within ${withinS} s: three adverts and the skew of the second node.`;
  if (instanceType !== undefined && BURSTABLE.test(instanceType) && advertS < 1)
    return [
      `${after} ${instanceType} is burstable: without CPU credits its adverts come late, and the VIP moves for no reason. Use 1 s there.`,
    ];
  if (advertS < 0.1)
    return [`${after} Under 0.1 s a busy CPU alone makes the VIP move for no reason; measured with 0.01 s.`];
  return [after];
}

/** As `ip address` and keepalived write it. */
export const onLoopback = (address: string): string => `${address}/${isIPv4(address) ? 32 : 128} dev lo`;

export const LOOPBACK_UNIT = 'vipshift-vip.service';

/** For `hold: both`: a unit that puts the VIP on the loopback of a node and leaves it there. */
export const loopbackUnit = (
  input: KeepalivedInput,
): string => `# ${LOOPBACK_UNIT}, for /etc/systemd/system of every node; then: systemctl enable --now ${LOOPBACK_UNIT}
[Unit]
Description=vipshift: the VIP on the loopback of this node
Before=vipshift-linger.service keepalived.service

[Service]
Type=oneshot
RemainAfterExit=yes
${input.addresses.map((address) => `ExecStart=/usr/sbin/ip address replace ${onLoopback(address)}`).join('\n')}
${input.addresses.map((address) => `ExecStop=-/usr/sbin/ip address delete ${onLoopback(address)}`).join('\n')}

[Install]
WantedBy=multi-user.target
`;
