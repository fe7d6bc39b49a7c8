// What every function wraps its handler in: the deadline, the log's context and the metrics' flush.
//
// To return is to say done; to throw is to say deliver again.
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { ForcedFailoverPorts } from '../../forced-failover/steps.ts';
import { durationMs } from '../../time.ts';
import { type ExecutionEnvironment, lambdaEnvironment, portsFor } from '../wire.ts';
import { recorded } from './logged-timeline.ts';
import { metricsNamespace, type Telemetry } from './telemetry.ts';

/** Before the platform kills the invocation, everything under way is aborted. */
const ABORT_EARLY_MS = 1000;

export interface Invocation {
  readonly ports: ForcedFailoverPorts;
  readonly environment: ExecutionEnvironment;
  readonly telemetry: Telemetry;
}

export function lambda<Reply>(work: (event: unknown, bench: Invocation) => Promise<Reply>) {
  const box = lambdaEnvironment();
  const journal: Telemetry = {
    logger: new Logger(),
    metrics: new Metrics({ namespace: metricsNamespace(box.settings.stage) }),
    byVip: box.settings.metricsByVip ?? true,
  };
  return middy({ timeoutEarlyInMillis: ABORT_EARLY_MS })
    .use(injectLambdaContext(journal.logger, { resetKeys: true }))
    .handler(async (event: unknown, context: Context, { signal }): Promise<Reply> => {
      const over = new AbortController();
      const ends = AbortSignal.any([signal, over.signal]);
      const ports = portsFor(box, durationMs(context.getRemainingTimeInMillis()), ends);
      try {
        const told = { ...ports, timeline: recorded(ports.timeline, journal) };
        return await work(event, { ports: told, environment: box, telemetry: journal });
      } finally {
        // Whatever nobody waits for any more: describes begun in vain, timers. A frozen sandbox would go on with it in
        // its next invocation.
        over.abort();
        if (journal.metrics.hasStoredMetrics()) journal.metrics.publishStoredMetrics();
      }
    });
}
