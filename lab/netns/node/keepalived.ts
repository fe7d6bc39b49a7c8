/**
 * The configuration files of a lab node: keepalived's as `vipshift keepalived-config` makes it, nginx behind the VIP.
 *
 * Adverts come every 0.1 s, so that scenarios are short. A busy machine must not fail over by itself, so keepalived asks for realtime: to be nice
 * counts only within a session where the kernel groups by session. Without the right to, it warns and goes on.
 */

import { keepalivedConfig } from '../../../cli/keepalived-config/config.ts';
import type { Hold, KeepalivedInput } from '../../../cli/keepalived-config/input.ts';
import { EIP_ADDRESS, NODE_ADDRESS, type NodeLabel, SERVICE_ADDRESS, VIP } from '../sandbox/topology.ts';

export type { Hold } from '../../../cli/keepalived-config/input.ts';

export const INSTANCE = 'VI_WEB';
/** Where the stack's SSM document writes to hand over the VIP `web`; a service's unit pulls the same one here. */
export const DEMOTE_FILE = '/run/vipshift/hand-over/web';
export const LEAVING_FILE = '/run/vipshift/leaving';
export const FIFO = '/run/vipshift/notify.fifo';

/** What the files are made from. */
export const keepalivedInput = (hold: Hold): KeepalivedInput => ({
  instance: INSTANCE,
  routerId: 51,
  nodes: (['a', 'b'] as const).map((name) => ({ name, address: NODE_ADDRESS[name], interface: 've0' })),
  addresses: [VIP],
  hold,
  advertS: 0.1,
  startupDelayS: 1,
  preempt: false,
  scriptUser: 'root',
  ports: [80],
  demoteFile: DEMOTE_FILE,
  leavingFile: LEAVING_FILE,
  fifo: FIFO,
});

/**
 * With a realtime priority keepalived also sets a limit to the CPU time between two waits, 10 ms by default, and is killed beyond it:
 * on a busy machine the healing of a partition did that, and the node that came back said MASTER once more. In microseconds.
 */
const REALTIME = 'vrrp_rt_priority 1\n    vrrp_rlimit_rttime 10000000';

export function keepalivedConf(node: NodeLabel, hold: Hold): string {
  const files = keepalivedConfig(keepalivedInput(hold));
  const file = files[node];
  if (file === undefined) throw new Error(`keepalived-config made no file for node ${node}`);
  return file.replace('global_defs {\n', `global_defs {\n    ${REALTIME}\n`);
}

/** Run by the lab itself, as the first process of its unit. */
export function nginxConf(node: NodeLabel): string {
  return `daemon off;\nmaster_process off;\n${nginxUnitConf(node)}`;
}

/** Run by the distribution's unit. */
export function nginxUnitConf(node: NodeLabel): string {
  return `user root;
pid /run/nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
    server {
        listen ${VIP}:80 backlog=4096;
        listen ${EIP_ADDRESS[node]}:80 backlog=4096;
        listen ${SERVICE_ADDRESS[node]}:80;
        location / { return 200 "${node}\\n"; }
    }
}
`;
}
