// Once a minute, and at once where AWS hints that something happened: VIPs as observed against VIPs as they should be.
import { hintFrom } from '../shared/aws/events/hint-event.ts';
import { type Invocation, lambda } from '../shared/aws/lambda/handler.ts';
import { logReconcileAll } from '../shared/aws/lambda/telemetry.ts';
import { reconcileFor } from '../shared/controller/reconcile-all.ts';

export const handler = lambda(
  async (event: unknown, { ports, environment: box, telemetry: journal }: Invocation) => {
    const sweep = await reconcileFor(ports, hintFrom(event, box.settings.stage));
    logReconcileAll(journal, sweep);
    if (sweep.failures.length > 0) {
      throw new AggregateError(
        sweep.failures.map((f) => f.fault),
        `reconcile failed for ${sweep.failures.map((f) => f.vip).join(', ')}; the others are done`,
      );
    }
    const switched = sweep.reports.filter((r) => r.did === 'switched').length;
    return { vips: sweep.reports.length, switched, left: sweep.left.length };
  },
);
