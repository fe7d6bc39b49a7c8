// Findings on files in memory, for tests.
import type { Finding } from '../../../../shared/doctor/finding.ts';
import { keepalivedFindings } from '../../../../shared/doctor/keepalived/findings/findings.ts';
import type { Shim } from '../../../../shared/doctor/keepalived/findings/one-configuration.ts';
import { memoryFolder } from './memory-folder.ts';

export const FIFO = '/run/vipshift/notify.fifo';
export const LEAVING = '/run/vipshift/leaving';

/** `given`: files, or HOST=FILE; all files by default. */
export function judged(
  files: Readonly<Record<string, string>>,
  given: readonly string[] = Object.keys(files),
  shim: Shim = { fifo: FIFO, leavingFile: LEAVING },
): readonly Finding[] {
  return keepalivedFindings({
    files: memoryFolder(files),
    given: given.map((one) => {
      const [host, path] = one.split('=');
      return path === undefined ? { path: one } : { path, host };
    }),
    shim,
  });
}

export const checksOf = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ check }) => check);

export const faultsOf = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ severity }) => severity === 'fault');

export interface ConfText {
  readonly globals?: string;
  readonly name?: string;
  readonly routerId?: number;
  readonly priority?: number;
  readonly advert?: string;
  readonly source?: string;
  /** `unicast_src_ip` and `unicast_peer`, or what stands in their place. */
  readonly way?: string;
  readonly peers?: string;
  readonly addresses?: string;
  readonly more?: string;
}

/** A right keepalived.conf that tracks a file, but for what is given. */
export const conf = (over: ConfText = {}): string => `track_file demote {
    file "/run/vipshift/demote"
    weight 0
}
track_file leaving {
    file "${LEAVING}"
    weight -200
}
global_defs {
    vrrp_version 3
    vrrp_notify_fifo ${FIFO}
    ${over.globals ?? 'router_id a'}
}
vrrp_instance ${over.name ?? 'VI_1'} {
    state BACKUP
    nopreempt
    interface eth0
    virtual_router_id ${over.routerId ?? 51}
    priority ${over.priority ?? 254}
    advert_int ${over.advert ?? '0.2'}
    ${over.way ?? `unicast_src_ip ${over.source ?? '10.0.1.10'}\n    unicast_peer {\n        ${over.peers ?? '10.0.2.10'}\n    }`}
    track_file {
        demote
        leaving
    }
    virtual_ipaddress {
        ${over.addresses ?? '192.0.2.51/32 dev lo'}
    }
    ${over.more ?? ''}
}
`;

/** The other node's. */
export const other = (over: ConfText = {}): string =>
  conf({ source: '10.0.2.10', peers: '10.0.1.10', priority: 253, ...over });
