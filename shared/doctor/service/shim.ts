// The doctor on the nodes' shim: is each node heard, and is its shim one that this controller was tested with.

import type { EpochMs } from '../../time.ts';
import { isSilent } from '../../vip/liveness.ts';
import type { Vip } from '../../vip/vip.ts';
import { type Finding, fault, warning } from '../finding.ts';
import { older } from './release.ts';

export interface ShimFacts {
  readonly now: EpochMs;
  readonly bus: string;
  /** The stack's release; undefined where that is not known. */
  readonly release?: string;
  /** The newest self-test of each node that is on record. */
  readonly probes: readonly { readonly node: string; readonly atMs: EpochMs; readonly shim?: string }[];
}

/** The oldest shim that the controller still reads: versions N and N−1. */
export const SHIM_MIN = '1.0.0';
/** Masters assert every 10 s, others every 60: this is two missed ones. */
const QUIET_MS = 150_000;

export function shimFindings(vip: Vip, { now, bus, release, probes }: ShimFacts): readonly Finding[] {
  const found: Finding[] = [];
  for (const node of Object.keys(vip.members).sort()) {
    const nodeState = vip.claims[node];
    const quietMs = nodeState === undefined ? undefined : now - nodeState.seenMs;
    const remedy = {
      sentence: `on ${node}: systemctl status vipshift-notify; sudo vipshift-notify selftest; systemctl status keepalived`,
    };
    if (nodeState === undefined || quietMs! > QUIET_MS || isSilent(vip, nodeState)) {
      found.push(
        fault('shim-silent', {
          vips: [vip.name],
          subject: node,
          found: quietMs === undefined ? 'never reported' : `last report ${Math.round(quietMs / 1000)} s ago`,
          expected: 'a word at least every 60 s',
          remedy,
        }),
      );
    }
    const shim = probes.find((p) => p.node === node)?.shim;
    if (shim !== undefined && older(shim, SHIM_MIN)) {
      found.push(
        fault('shim-old', {
          vips: [vip.name],
          subject: node,
          found: `shim ${shim}`,
          expected: `at least ${SHIM_MIN}`,
          remedy: {
            sentence: `on ${node}, with notify/ of this release: sudo notify/vipshift-notify install --bus ${bus} --instance INSTANCE=${vip.name}`,
          },
        }),
      );
    }
    if (shim !== undefined && release !== undefined && older(release, shim))
      found.push(
        warning('shim-new', {
          vips: [vip.name],
          subject: node,
          found: `shim ${shim}, and the stack is release ${release}`,
          expected: 'no shim newer than the stack: what it says may not be understood',
          remedy: { sentence: `deploy release ${shim} (docs/upgrade.md)` },
        }),
      );
  }
  return found;
}
