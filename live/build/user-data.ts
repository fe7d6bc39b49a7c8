// User data: what an instance does at its first boot, as one shell script: keepalived and the echo on a node, the probe on the probe.
//
// Invariant: below EC2's limit of 16,384 bytes. The notify shim is larger than that and comes later, through SSM (ssm-machines.ts);
// keepalived starts only then, so that its first word finds a reader.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepalivedConfig } from '../../cli/keepalived-config/config.ts';
import {
  addressOf,
  ECHO_PORT,
  type MachineName,
  type NodeName,
  PROBE_EVERY_MS,
  VIP_ADDRESS,
  VRRP_INSTANCE,
} from '../plan.ts';

export const USER_DATA_MAX_BYTES = 16_384;
export const HOME = '/usr/lib/vipshift-drill';
/** Where the probe keeps its record. */
export const FOLDER = '/run/vipshift-drill';
/** There when the script has done its work. */
export const READY = `${HOME}/ready`;
/** The first ENI of a Nitro instance with Amazon Linux 2023. */
const INTERFACE = 'ens5';

const onNode = (file: string): string =>
  readFileSync(join(import.meta.dirname, '..', 'on-node', file), 'utf8');

export function userData(name: MachineName, advertS: number): string {
  const script = name === 'probe' ? probeScript() : nodeScript(name, advertS);
  const bytes = Buffer.byteLength(script);
  if (bytes > USER_DATA_MAX_BYTES)
    throw new Error(`user data of ${name} has ${bytes} bytes, EC2 takes ${USER_DATA_MAX_BYTES}`);
  return script;
}

const nodeScript = (name: NodeName, advertS: number): string =>
  script([
    // dnf does not always get by with the 512 MB of a t4g.nano.
    'dd if=/dev/zero of=/swapfile bs=1M count=512 status=none && chmod 600 /swapfile && mkswap -q /swapfile && swapon /swapfile',
    // The package's repository may take its time in the first seconds of an instance.
    'for try in 1 2 3 4 5 6; do dnf -y -q install keepalived && break; sleep 5; done',
    'command -v keepalived',
    // Nothing of keepalived or the shim may be swapped out while it is measured.
    'swapoff /swapfile && rm -f /swapfile',
    file(`${HOME}/echo.py`, onNode('echo.py'), '644'),
    file('/etc/keepalived/keepalived.conf', keepalivedFile(name, advertS), '644'),
    // A killed keepalived stays dead until the drill starts it again.
    file('/etc/systemd/system/keepalived.service.d/drill.conf', '[Service]\nRestart=no\n', '644'),
    file('/etc/systemd/system/vipshift-drill-echo.service', echoUnit(name), '644'),
    'systemctl daemon-reload',
    'systemctl enable --now vipshift-drill-echo.service',
  ]);

const probeScript = (): string =>
  script([
    file(`${HOME}/probe.py`, onNode('probe.py'), '644'),
    file('/etc/systemd/system/vipshift-drill-probe.service', probeUnit, '644'),
    'systemctl daemon-reload',
    'systemctl enable --now vipshift-drill-probe.service',
  ]);

const script = (lines: readonly string[]): string =>
  [
    '#!/bin/bash',
    'set -eu',
    file(`${HOME}/drill.bash`, onNode('drill.bash'), '755'),
    ...lines,
    `touch ${READY}`,
    '',
  ].join('\n');

const file = (path: string, text: string, mode: string): string =>
  `install -D -m ${mode} /dev/stdin ${path} <<'END_OF_FILE'\n${text}END_OF_FILE`;

export function keepalivedFile(name: NodeName, advertS: number): string {
  const nodes = (['a', 'b'] as const).map((node) => ({
    name: node,
    address: addressOf(node),
    interface: INTERFACE,
  }));
  const files = keepalivedConfig({
    ...{ instance: VRRP_INSTANCE, routerId: 51, nodes, addresses: [VIP_ADDRESS], hold: 'both', advertS },
    ...{ startupDelayS: 1, preempt: false, scriptUser: 'root', ports: [ECHO_PORT] },
    ...{ demoteFile: '/run/vipshift/demote', leavingFile: '/run/vipshift/leaving' },
    ...{ fifo: '/run/vipshift/notify.fifo', instanceType: 't4g.nano' },
  });
  return files[name]!;
}

// The address lies on both nodes for good (hold: both): the route table alone decides who serves.
const echoUnit = (name: NodeName): string => `[Unit]
After=network-online.target
Wants=network-online.target
[Service]
ExecStartPre=/usr/sbin/ip address replace ${VIP_ADDRESS}/32 dev lo
ExecStart=/usr/bin/python3 ${HOME}/echo.py ${name} ${VIP_ADDRESS} ${ECHO_PORT}
Restart=no
[Install]
WantedBy=multi-user.target
`;

const probeUnit = `[Unit]
After=network-online.target
Wants=network-online.target
[Service]
ExecStart=/usr/bin/python3 ${HOME}/probe.py ${VIP_ADDRESS} ${ECHO_PORT} ${PROBE_EVERY_MS} ${FOLDER}
Nice=-10
Restart=always
[Install]
WantedBy=multi-user.target
`;
