// What every function wraps its handler in: the deadline, the log's context and the metrics' flush. The function hands in
// its execution environment and how the ports of one invocation are made (both from aws/wire.ts).
//
// To return is to say done; to throw is to say deliver again.
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { type DurationMs, durationMs } from '../../time.ts';
import { VERSION } from '../../version.ts';
import type { NodeIdentity } from '../../vip/admission.ts';
import type { InvocationPorts } from '../invocation.ts';
import { withProofs } from './logged-actions.ts';
import { withBugLog } from './logged-bugs.ts';
import { withLog } from './logged-timeline.ts';
import { logBug, metricsNamespace, type Telemetry } from './telemetry.ts';

/** Before the platform kills the invocation, everything under way is aborted. */
const ABORT_EARLY_MS = 1000;

/** What outlives an invocation, as far as handlers use it. */
export interface Environment {
  readonly settings: {
    readonly stage: string;
    readonly identity: NodeIdentity;
    readonly metricsByVip?: boolean;
  };
}

/** `remaining`: what the invocation has left. `signal`: aborts what is under way when that has passed. */
export type PortsFor<Own extends Environment> = (
  environment: Own,
  remaining: DurationMs,
  signal: AbortSignal,
) => InvocationPorts;

export interface Invocation {
  readonly ports: InvocationPorts;
  readonly environment: Environment;
  readonly telemetry: Telemetry;
}

export function lambda<Own extends Environment, Reply>(
  environment: Own,
  portsFor: PortsFor<Own>,
  work: (event: unknown, invocation: Invocation) => Promise<Reply>,
) {
  const { stage, metricsByVip = true } = environment.settings;
  const telemetry: Telemetry = {
    logger: new Logger({ persistentKeys: { version: VERSION } }),
    metrics: new Metrics({ namespace: metricsNamespace(stage) }),
    byVip: metricsByVip,
  };
  return middy({ timeoutEarlyInMillis: ABORT_EARLY_MS })
    .use(injectLambdaContext(telemetry.logger, { resetKeys: true }))
    .handler(async (event: unknown, context: Context, { signal }): Promise<Reply> => {
      const over = new AbortController();
      const ends = AbortSignal.any([signal, over.signal]);
      const wired = portsFor(environment, durationMs(context.getRemainingTimeInMillis()), ends);
      const logging = { timeline: withLog(wired.timeline, telemetry), ...withProofs(wired, telemetry) };
      const ports = withBugLog({ ...wired, ...logging }, telemetry);
      try {
        return await work(event, { ports, environment, telemetry });
      } catch (error) {
        logBug(telemetry, error, 'the handler');
        throw error;
      } finally {
        // Ends what no one waits for any more: describes that were not needed, timers. A frozen environment would go on with
        // them in its next invocation.
        over.abort();
        if (telemetry.metrics.hasStoredMetrics()) telemetry.metrics.publishStoredMetrics();
      }
    });
}
