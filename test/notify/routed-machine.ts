// A booted machine with two interfaces of one subnet, as an instance with an ENI for an Elastic IP has them: ens5 with a static address, and
// ens6 whose address systemd-networkd gets by DHCP, or which no one manages.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BootedMachine, bootRoot } from '../../lab/booted/booted-machine.ts';

/** Leases 10.0.2.30/24 with the router 10.0.2.1 to everyone behind the interface far6; on raw packets, so that no address of its own is needed. */
const dhcpServer = `#!/usr/bin/python3
import socket, struct
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
wire.bind(("far6", 0x0800))
mac, own, leased = wire.getsockname()[4], socket.inet_aton("10.0.2.254"), socket.inet_aton("10.0.2.30")
def checksum(head):
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff
while True:
    frame = wire.recv(2048)
    if frame[23] != 17 or frame[36:38] != b"\\0\\x43":
        continue
    asked = frame[42:]
    at = asked.index(b"\\x35\\x01", 240)
    kind = {1: 2, 3: 5}.get(asked[at + 2])
    if kind is None:
        continue
    options = bytes([53, 1, kind, 54, 4]) + own + b"\\x33\\x04" + struct.pack("!I", 3600) + b"\\x01\\x04\\xff\\xff\\xff\\0\\x03\\x04" + socket.inet_aton("10.0.2.1") + b"\\xff"
    body = b"\\x02\\x01\\x06\\0" + asked[4:12] + b"\\0" * 4 + leased + own + b"\\0" * 4 + asked[28:44] + b"\\0" * 192 + asked[236:240] + options
    udp = struct.pack("!HHHH", 67, 68, 8 + len(body), 0) + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + own + b"\\xff" * 4
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    wire.send(b"\\xff" * 6 + mac + b"\\x08\\0" + head + udp)
`;

/** The wires outlive a reboot, as the namespace of the network does. */
const wires = `[Unit]
DefaultDependencies=no
Before=systemd-networkd.service network-pre.target
Wants=network-pre.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'for i in 5 6; do ip link show ens$i || ip link add ens$i type veth peer name far$i; ip link set far$i up; done'
`;

interface Manager {
  readonly name: string;
  /** Where its program is. */
  readonly program: string;
  readonly files: Readonly<Record<string, string>>;
  readonly start: string;
  /** What takes the routes of ens6 away and gives it its address again. */
  readonly disturbances: readonly string[];
}

const managers: readonly Manager[] = [
  {
    name: 'ifupdown',
    program: 'usr/sbin/ifup',
    files: { '/etc/network/interfaces': 'auto ens6\niface ens6 inet static\n  address 10.0.2.30/24\n' },
    start: 'systemctl start networking',
    disturbances: ['ifdown ens6; ifup ens6', 'systemctl restart networking'],
  },
  {
    name: 'NetworkManager',
    program: 'usr/sbin/NetworkManager',
    files: {
      '/etc/NetworkManager/NetworkManager.conf':
        '[main]\nplugins=keyfile\ndhcp=internal\n[device]\nmatch-device=*\nmanaged=1\n[keyfile]\nunmanaged-devices=interface-name:far*;interface-name:lo\n',
      '/etc/NetworkManager/system-connections/ens6.nmconnection':
        '[connection]\nid=ens6\ntype=ethernet\ninterface-name=ens6\n[ipv4]\nmethod=auto\n[ipv6]\nmethod=disabled\n',
    },
    start: 'chmod 600 /etc/NetworkManager/system-connections/*; systemctl start NetworkManager',
    disturbances: [
      'nmcli device reapply ens6',
      'nmcli device disconnect ens6; nmcli device connect ens6',
      'systemctl restart NetworkManager',
      'nmcli networking off; nmcli networking on',
    ],
  },
];

/** Those that the Debian which is booted has. */
export const managersThere = (): readonly Manager[] =>
  managers.filter(({ program }) => existsSync(join(bootRoot(), program)));

export function bootRouted(
  manager: string,
  files: Readonly<Record<string, string>> = {},
): Promise<BootedMachine> {
  const link = (name: string, lines: string) =>
    `[Match]\nName=${name}\n[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n${lines}\n`;
  return BootedMachine.boot({
    name: manager,
    enabled: ['wires.service', ...(manager === 'networkd' ? ['systemd-networkd.service'] : [])],
    files: {
      '/etc/systemd/system/wires.service': wires,
      '/etc/systemd/system/dhcp-server.service':
        '[Service]\nExecStart=/usr/local/sbin/dhcp-server\n[Install]\nWantedBy=multi-user.target\n',
      '/usr/local/sbin/dhcp-server': dhcpServer,
      '/etc/systemd/network/10-ens5.network': link('ens5', 'Address=10.0.2.20/24'),
      '/etc/systemd/network/20-ens6.network': link('ens6', 'DHCP=ipv4'),
      ...files,
    },
  });
}
