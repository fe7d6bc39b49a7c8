// Once a minute: every VIP as observed against every VIP as it should be.
import { tellSweep } from '../shared/aws/journal.ts';
import { type Bench, lambda } from '../shared/aws/lambda.ts';
import { reconcileAll } from '../shared/sweep.ts';

export const handler = lambda(async (_event: unknown, { wire, journal }: Bench) => {
  const sweep = await reconcileAll(wire);
  tellSweep(journal, sweep);
  if (sweep.failures.length > 0) {
    throw new AggregateError(
      sweep.failures.map((f) => f.fault),
      `reconcile failed for ${sweep.failures.map((f) => f.vip).join(', ')}; the others are done`,
    );
  }
  return { vips: sweep.reports.length, switched: sweep.reports.filter((r) => r.did === 'switched').length };
});
