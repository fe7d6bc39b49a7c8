// What an operator sees in CloudWatch: one structured log line for each thing that happened, and metrics in the same
// lines (EMF: no API call, CloudWatch Logs extracts them). No domain code logs; it returns what is to be told.
//
// A log line of a failover carries the record's own words, so that log and timeline can be held against each other.

import { createHash } from 'node:crypto';
import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { ReconcileResult } from '../../controller/assess.ts';
import type { Answer } from '../../controller/handle-claim.ts';
import type { ReconcileAllResult } from '../../controller/reconcile-all.ts';
import { type Fault, toFault } from '../../fault.ts';
import { digest } from '../../timeline/integrity.ts';
import type { Failover, Rejection } from '../../timeline/timeline.ts';
import type { Claim } from '../../vip/claim.ts';
import { VERSION } from '../events/claim-event.ts';
import { durations } from '../events/publisher.ts';

export interface Telemetry {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whether the four metrics of a VIP are kept by VIP as well; see serverless.yml. */
  readonly byVip: boolean;
}

/** The first four are kept by VIP, too; each is emitted only when something happened. */
export const metricNames = {
  /** From the controller's first line to the last mutation accepted. */
  duration: 'FailoverDuration',
  /** Failovers with an outcome other than unchanged. */
  outcome: 'FailoverOutcome',
  splitBrain: 'SplitBrain',
  unhealthy: 'Unhealthy',
  /** Failovers that did not do what they should: failed, partial, abandoned. Wakes somebody. */
  trouble: 'FailoverTrouble',
  rejected: 'ClaimsRejected',
  newerVersion: 'ClaimsOfNewerVersion',
  /** One for each sweep in which no VIP failed and none was left: the dead-man alarm listens for it. */
  reconciled: 'Reconciled',
} as const;

/** Where the metrics of a stage are, so that two stages in one account do not meet. */
export const metricsNamespace = (stage: string): string => `vipshift/${stage}`;

export function logAnswer(journal: Telemetry, answer: Answer, claim: Claim): void {
  const { vip, node, eventId } = claim;
  if (answer.answer === 'rejected') countRejection(journal, { vip, node, eventId, ...answer.refusal });
  else if (answer.answer === 'switched') {
    logFaults(journal, vip, answer.faults);
    journal.logger.info('claim switched', {
      vip,
      node,
      eventId,
      epochs: answer.failovers.map((f) => f.epoch),
    });
  } else if (answer.answer === 'recorded') {
    journal.logger.info('claim recorded', { vip, node, eventId, news: answer.news, rev: answer.vip.rev });
  } else journal.logger.info(`claim ${answer.answer}`, { vip, node, eventId });
}

export function countRejection(
  { logger, metrics }: Telemetry,
  refused: Pick<Rejection, 'vip' | 'node' | 'reason' | 'message'> & { readonly eventId: string },
): void {
  // `message` is the log line's own.
  const { message: why, ...rest } = refused;
  logger.warn('claim rejected', { ...rest, why });
  metrics.addMetadata('rejected', `${refused.vip} ${refused.node} ${refused.reason}`);
  metrics.addMetric(metricNames.rejected, MetricUnit.Count, 1);
}

export function countNewerVersion({ logger, metrics }: Telemetry, version: number): void {
  if (version <= VERSION) return;
  logger.warn(
    'event of a newer version: read as far as it is known; deploy the controller before the nodes',
    { version },
  );
  metrics.addMetric(metricNames.newerVersion, MetricUnit.Count, 1);
}

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** A record that has just been put: its line and its metrics. */
export function logFailover(journal: Telemetry, failover: Failover): void {
  const { vip, outcome } = failover;
  logRecord(journal, failover);
  const { toLastMutation } = durations(failover.stages);
  if (outcome === 'switched' && toLastMutation !== undefined)
    logVip(journal, vip, metricNames.duration, toLastMutation);
  if (outcome !== 'unchanged') logVip(journal, vip, metricNames.outcome, 1);
  if (failover.splitBrain.length > 0) logVip(journal, vip, metricNames.splitBrain, 1);
  if (isTrouble(failover)) one(journal, vip, metricNames.trouble, 1);
}

/** The line alone, with the digest of the whole record: an edited or deleted one is found by it. */
export function logRecord(journal: Telemetry, failover: Failover): void {
  const { claims: _claims, ...told } = failover;
  const proof = digest(failover, sha256);
  const level = isTrouble(failover) ? 'error' : 'info';
  journal.logger[level](`failover ${failover.outcome}`, { ...told, digest: proof });
}

/** Without a digest: there is no record, and whoever comes next closes the epoch. */
export function logUnrecorded({ logger }: Telemetry, failover: Failover, error: unknown): void {
  const { claims: _claims, ...told } = failover;
  logger.error(`failover ${failover.outcome}, not recorded`, { ...told, error: toFault(error) });
}

const isTrouble = ({ outcome }: Failover): boolean =>
  outcome === 'failed' || outcome === 'partial' || outcome === 'abandoned';

const unitOf = (name: string) => (name === metricNames.duration ? MetricUnit.Milliseconds : MetricUnit.Count);

/** Over all VIPs for the alarms, and by VIP for looking closer. */
function logVip(journal: Telemetry, vip: string, name: string, amount: number): void {
  one(journal, vip, name, amount);
  if (!journal.byVip) return;
  const single = journal.metrics.singleMetric();
  single.addDimension('vip', vip);
  single.addMetric(name, unitOf(name), amount);
}

/** Without the dimension; the VIP is a property of the log line. */
function one({ metrics }: Telemetry, vip: string, name: string, amount: number): void {
  const single = metrics.singleMetric();
  single.addMetadata('vip', vip);
  single.addMetric(name, unitOf(name), amount);
}

function logFaults({ logger }: Telemetry, vip: string, faults: readonly Fault[]): void {
  for (const fault of faults) logger.error('beside the switch, which is done', { vip, error: fault });
}

/** A log line has its limit; the others come in the next sweep's line. */
const LEFT_TOLD_MAX = 50;

export function logReconcileAll(journal: Telemetry, sweep: ReconcileAllResult): void {
  for (const report of sweep.reports) logReconcile(journal, report);
  for (const { vip, fault } of sweep.failures)
    journal.logger.error('reconcile failed', { vip, error: fault });
  const { left } = sweep;
  if (left.length > 0)
    journal.logger.warn('no time for all VIPs: the next sweep begins elsewhere', {
      left: left.length,
      vips: left.slice(0, LEFT_TOLD_MAX),
    });
  if (sweep.hint !== undefined) {
    journal.logger.info('hint', { hint: sweep.hint, vips: sweep.reports.map((r) => r.vip) });
    return;
  }
  if (sweep.failures.length === 0 && left.length === 0)
    journal.metrics.addMetric(metricNames.reconciled, MetricUnit.Count, 1);
}

export function logReconcile(journal: Telemetry, report: ReconcileResult): void {
  const { switched, ...told } = report;
  if (report.did === 'switched' || report.trouble.length > 0 || report.splitBrain.length > 0)
    journal.logger.warn('reconcile', { ...told });
  logFaults(journal, report.vip, switched?.faults ?? []);
  if (report.trouble.length > 0) logVip(journal, report.vip, metricNames.unhealthy, 1);
  if (switched === undefined && report.splitBrain.length > 0)
    logVip(journal, report.vip, metricNames.splitBrain, 1);
}
