// Once a minute, and at once where AWS hints that something happened: VIPs as observed against VIPs as they should be. And the states of
// the workflows by which a node leaves: they need what a sweep needs, and are next to what finds a warning whose event was lost.
import { reconcileFor } from '../../controller/reconcile-all.ts';
import { hintFrom } from '../events/hint-event.ts';
import { departureStepFrom } from '../step-functions/departure-event.ts';
import type { Invocation } from './handler.ts';
import { logReconcileAll } from './telemetry.ts';

/** Throws when a VIP could not be reconciled, so that Lambda counts an error; the other VIPs are done. */
export async function invokeForReconcile(event: unknown, { ports, environment, telemetry }: Invocation) {
  const step = departureStepFrom(event);
  if (step !== undefined) {
    const answer = await step.run(ports);
    telemetry.logger.info(`step ${step.name}`, { answer });
    return answer;
  }
  const result = await reconcileFor(ports, hintFrom(event, environment.settings.stage));
  logReconcileAll(telemetry, result);
  const { reports, repeated = [], failures, left } = result;
  if (failures.length > 0) {
    throw new AggregateError(
      failures.map(({ fault }) => fault),
      `reconcile failed for ${failures.map(({ vip }) => vip).join(', ')}; the others are done`,
    );
  }
  const switched = [...reports, ...repeated].filter(({ did }) => did === 'switched').length;
  return { vips: reports.length, switched, left: left.length };
}
