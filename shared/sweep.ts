// A sweep: one reconcile of every VIP, a few at a time. One that fails never hides the rest.
import { type Fault, faultOf } from './fault.ts';
import { type Report, reconcile } from './reconcile.ts';
import type { Wire } from './switch.ts';

/** VIPs reconciled at the same time: EC2's Describe budget is 100 and 20 a second. */
const AT_ONCE = 8;

export interface Sweep {
  readonly reports: readonly Report[];
  /** VIPs whose reconcile failed, with the reason; the others went on. */
  readonly failures: readonly { readonly vip: string; readonly fault: Fault }[];
}

export async function reconcileAll(wire: Wire): Promise<Sweep> {
  const queue = [...(await wire.vips.list())];
  const reports: Report[] = [];
  const failures: { vip: string; fault: Fault }[] = [];
  const worker = async () => {
    for (let vip = queue.shift(); vip !== undefined; vip = queue.shift()) {
      try {
        reports.push(await reconcile(wire, vip));
      } catch (error) {
        failures.push({ vip: vip.name, fault: faultOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { reports, failures };
}
