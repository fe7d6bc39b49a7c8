/**
 * The files of a booted lab node: keepalived's configuration and the unit for the VIP as `vipshift keepalived-config` makes them, nginx behind
 * the VIP, and two stand-ins: for ifupdown, and for the resolver that a node may have.
 */
import { LOOPBACK_UNIT, loopbackUnit } from '../../cli/keepalived-config/advice.ts';
import { type Hold, keepalivedConf, keepalivedInput, nginxUnitConf } from '../netns/node/keepalived.ts';
import { AWS_ADDRESS, LINKS, type NodeLabel } from '../netns/sandbox/topology.ts';

/** Under this name the nodes know the bus; only their resolver knows its address. */
export const BUS_HOST = 'events.lab.internal';

/** What each package's unit says about its place at boot and at a shutdown; `tinyproxy` is a proxy, which no target stands for. */
export const resolvers = {
  dnsmasq: [
    'Requires=network.target',
    'Wants=nss-lookup.target',
    'Before=nss-lookup.target',
    'After=network.target',
  ],
  unbound: ['After=network.target', 'Before=nss-lookup.target', 'Wants=nss-lookup.target'],
  named: ['After=network.target', 'Wants=nss-lookup.target', 'Before=nss-lookup.target'],
  'systemd-resolved': [
    'DefaultDependencies=no',
    'Before=network.target nss-lookup.target',
    'Conflicts=shutdown.target',
    'Before=shutdown.target',
    'Wants=nss-lookup.target',
  ],
  tinyproxy: ['After=network.target'],
} as const;
export type Resolver = keyof typeof resolvers;
export const resolverNames = Object.keys(resolvers) as Resolver[];

/** Answers every question for an address (A) with the bus's, and any other with nothing. */
const resolverProgram = `#!/usr/bin/python3
import socket, struct
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    query, caller = server.recvfrom(512)
    end = query.index(b"\\0", 12) + 5
    found = query[end - 4:end - 2] == b"\\0\\1"
    answer = b"\\xc0\\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton("${AWS_ADDRESS}") if found else b""
    server.sendto(query[:2] + struct.pack(">HHHHH", 0x8180, 1, int(found), 0, 0) + query[12:end] + answer, caller)
`;

const resolverUnit = (name: Resolver): string => `[Unit]
Description=A local resolver, ordered as ${name} is
${resolvers[name].join('\n')}

[Service]
ExecStart=/usr/local/sbin/lab-resolver
KillSignal=SIGKILL
`;

/** The networking.service of a machine that is alone: `ens5` with this address, and no machine at its other end. */
export const lonelyNetwork = (address: string): string => `[Unit]
Before=network.target
Wants=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip link show ens5 || ip link add ens5 type veth peer name far; ip address replace ${address} dev ens5; ip link set ens5 up; ip link set far up'
`;

/** As ifupdown's networking.service: at its end the interfaces have lost their addresses, and with them the node its routes. */
function networkUnit(label: NodeLabel): string {
  const links = LINKS.filter(({ place }) => place === label);
  const up = links.flatMap(({ device, address, routerAddress }) =>
    device === 've0'
      ? [
          `ip address replace ${address}/32 dev ${device}`,
          `ip route replace ${routerAddress} dev ${device}`,
          `ip route replace default via ${routerAddress} dev ${device} src ${address}`,
        ]
      : [`ip address replace ${address}/32 dev ${device}`],
  );
  return `[Unit]
Description=The interfaces of this node
DefaultDependencies=no
Wants=network.target
After=local-fs.target
Before=network.target network-online.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
${up.map((command) => `ExecStart=/usr/sbin/${command}`).join('\n')}
${links.map(({ device }) => `ExecStop=/usr/sbin/ip address flush dev ${device}`).join('\n')}
`;
}

export function nodeFiles(label: NodeLabel, hold: Hold): Readonly<Record<string, string>> {
  return {
    '/etc/keepalived/keepalived.conf': keepalivedConf(label, hold),
    '/etc/nginx/nginx.conf': nginxUnitConf(label),
    '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n',
    '/etc/resolv.conf': 'nameserver 127.0.0.1\noptions attempts:1 timeout:1\n',
    '/etc/systemd/system/networking.service': networkUnit(label),
    [`/etc/systemd/system/${LOOPBACK_UNIT}`]: loopbackUnit(keepalivedInput(hold)),
    '/etc/tmpfiles.d/lab.conf': 'd /run/vipshift/hand-over 0755 root root -\n',
    '/usr/local/sbin/lab-resolver': resolverProgram,
    ...Object.fromEntries(
      resolverNames.map((name) => [`/etc/systemd/system/${name}.service`, resolverUnit(name)]),
    ),
    // Ahead of everything else: on a busy machine adverts every 0.1 s would come too late.
    '/etc/systemd/system/keepalived.service.d/lab.conf': '[Service]\nNice=-15\n',
    // Under systemd 252 these two show a unit the host's boot id.
    '/etc/systemd/system/vipshift-notify.service.d/lab.conf':
      '[Service]\nProtectKernelTunables=no\nProtectControlGroups=no\n',
    // Kept over a reboot.
    '/var/log/journal/.keep': '',
  };
}
