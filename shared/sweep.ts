// A sweep: one reconcile of every VIP, or of those that a hint concerns, a few at a time. One that fails never hides the
// rest.
import { type Fault, faultOf } from './fault.ts';
import { concerns, type Hint, heed } from './hint.ts';
import type { Observation } from './observation.ts';
import { type Report, reconcile } from './reconcile.ts';
import type { Wire } from './switch.ts';
import type { Vip } from './vip.ts';

/** VIPs reconciled at the same time: EC2's Describe budget is 100 and 20 a second. */
const AT_ONCE = 8;

export interface Sweep {
  /** Why it was not over all VIPs. */
  readonly hint?: Hint;
  readonly reports: readonly Report[];
  /** VIPs whose reconcile failed, with the reason; the others went on. */
  readonly failures: readonly { readonly vip: string; readonly fault: Fault }[];
}

export async function reconcileAll(wire: Wire): Promise<Sweep> {
  const vips = await wire.vips.list();
  const looked = await lookAtAll(wire, vips);
  return sweep(vips, (vip) => reconcile(wire, vip, looked.get(vip.name)));
}

/** One look for all; nothing when it fails or there is only one VIP: then each looks for itself. */
async function lookAtAll(wire: Wire, vips: readonly Vip[]): Promise<ReadonlyMap<string, Observation>> {
  const living = vips.filter((vip) => vip.removedAtMs === undefined);
  if (living.length < 2 || wire.ec2.observeAll === undefined) return new Map();
  return wire.ec2.observeAll(living).catch(() => new Map());
}

/** Without a hint over all VIPs, else over those that it concerns. */
export async function reconcileFor(wire: Wire, hint: Hint | undefined): Promise<Sweep> {
  if (hint === undefined) return reconcileAll(wire);
  const concerned = (await wire.vips.list()).filter((vip) => concerns(hint, vip));
  const swept = await sweep(concerned, async (vip) => {
    if (hint.kind === 'change') await wire.changes?.note(vip.name, hint);
    return reconcile(wire, (await heed(wire.vips, vip.name, hint)) ?? vip);
  });
  return { ...swept, hint };
}

async function sweep(vips: readonly Vip[], work: (vip: Vip) => Promise<Report>): Promise<Sweep> {
  const queue = [...vips];
  const reports: Report[] = [];
  const failures: { vip: string; fault: Fault }[] = [];
  const worker = async () => {
    for (let vip = queue.shift(); vip !== undefined; vip = queue.shift()) {
      try {
        reports.push(await work(vip));
      } catch (error) {
        failures.push({ vip: vip.name, fault: faultOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { reports, failures };
}
