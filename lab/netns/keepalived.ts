/**
 * The keepalived and nginx files of a lab machine, while cli/keepalived-config.ts is not there yet.
 */
import { EIP_ADDRESS, NODE_ADDRESS, type NodeLabel, VIP } from './topology.ts';

export type Hold = 'both' | 'master';

export function keepalivedConf(node: NodeLabel, hold: Hold): string {
  const peer = node === 'a' ? 'b' : 'a';
  return `global_defs {
    router_id node-${node}
    vrrp_version 3
    vrrp_higher_prio_send_advert true
    vrrp_notify_fifo /run/vipshift/notify.fifo
    ${node === 'b' ? 'vrrp_startup_delay 1' : ''}
}
vrrp_track_file lever {
    file /run/machine/lever
    weight 0
}
vrrp_instance VI_WEB {
    state BACKUP
    nopreempt
    interface ve0
    virtual_router_id 51
    priority ${node === 'a' ? 254 : 253}
    advert_int 0.1
    unicast_src_ip ${NODE_ADDRESS[node]}
    unicast_peer {
        ${NODE_ADDRESS[peer]}
    }
    check_unicast_src
    track_file {
        lever weight 0
    }
    virtual_ipaddress {
        ${hold === 'master' ? VIP : '192.0.2.250'}/32 dev lo
    }
}
`;
}

export function nginxConf(node: NodeLabel): string {
  return `daemon off;
master_process off;
user root;
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
        listen ${NODE_ADDRESS[node]}:80;
        location / { return 200 "${node}\\n"; }
    }
}
`;
}
