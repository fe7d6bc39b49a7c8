// What an operator sees in CloudWatch: one structured log line for each thing that happened, and metrics in the same
// lines (EMF: no API call, CloudWatch Logs extracts them). No domain code logs; it returns what is to be told.
//
// A log line of a failover carries the record's own words, as far as a line holds them, and the digest of all of it, so that log
// and timeline can be held against each other.

import { createHash } from 'node:crypto';
import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { ReconcileResult } from '../../controller/assess.ts';
import type { Answer } from '../../controller/handle-claim.ts';
import type { ReconcileAllResult } from '../../controller/reconcile-all.ts';
import { type Fault, toFault } from '../../fault.ts';
import type { ApprovalRequest } from '../../forced-failover/approval.ts';
import { fitted, LISTED_MAX, type Limit } from '../../timeline/fit.ts';
import { digest } from '../../timeline/integrity.ts';
import type { OperatorAction } from '../../timeline/operator-action.ts';
import { jsonBytes } from '../../timeline/size.ts';
import type { Failover, Rejection } from '../../timeline/timeline.ts';
import type { Proof } from '../../timeline/verify.ts';
import type { Claim } from '../../vip/claim.ts';
import { type Flapping, flappingText } from '../../vip/flapping.ts';
import type { Stranded } from '../../vip/vip.ts';
import { VERSION } from '../events/claim-event.ts';
import { durations } from '../events/publisher.ts';

export interface Telemetry {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whether the four metrics of a VIP are kept by VIP as well; see serverless.yml. */
  readonly byVip: boolean;
}

/** The first four are kept by VIP, too; each but the last two is emitted only when something happened. */
export const metricNames = {
  /** From the controller's first line to the last mutation accepted. */
  duration: 'FailoverDuration',
  /** Failovers with an outcome other than unchanged. */
  outcome: 'FailoverOutcome',
  splitBrain: 'SplitBrain',
  unhealthy: 'Unhealthy',
  /** Failovers that did not do what they should: failed, partial, abandoned. Wakes an operator. */
  trouble: 'FailoverTrouble',
  rejected: 'ClaimsRejected',
  newerVersion: 'ClaimsOfNewerVersion',
  /** How many VIPs have members but no report for minutes; emitted by each reconcile of all VIPs, 0 in health. */
  unheard: 'VipsUnheard',
  /** Claims of one node that cannot both be true: a lie, or a clock that nothing can be built on. Wakes an operator. */
  contradicted: 'ClaimsContradicted',
  /** One for each storm that begins, and for each node of a VIP that a reconcile finds damped. Wakes an operator. */
  flapping: 'NodeFlapping',
  /** One for each sweep that could not read or announce what EC2 has scheduled for the nodes. */
  warningsUnread: 'WarningsUnread',
  /** Mistakes in our own code, such as a TypeError in a port; each is told once, with its stack in the log. Wakes an operator. */
  bugs: 'Bugs',
  /** One for each sweep in which no VIP failed and none was left: the dead-man alarm listens for it. */
  reconciled: 'Reconciled',
} as const;

/** Where the metrics of a stage are, so that two stages in one account do not meet. */
export const metricsNamespace = (stage: string): string => `vipshift/${stage}`;

export function logAnswer(journal: Telemetry, answer: Answer, claim: Claim): void {
  const { vip, node, eventId } = claim;
  if ('contradiction' in answer) tellContradiction(journal, claim, answer.contradiction);
  if ('storm' in answer && answer.storm !== undefined) logFlapping(journal, vip, answer.storm);
  if ('stranded' in answer && answer.stranded !== undefined) logStranded(journal, vip, answer.stranded);
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

function logFlapping({ logger, metrics }: Telemetry, vip: string, flapping: Flapping): void {
  logger.error('a node flaps: it is damped', { vip, ...flapping, why: flappingText(flapping) });
  metrics.addMetadata('flapping', `${vip} ${flapping.node}`);
  metrics.addMetric(metricNames.flapping, MetricUnit.Count, 1);
}

function logStranded(journal: Telemetry, vip: string, { key, node, cause }: Stranded): void {
  journal.logger.error('a node is about to go, and keeps the VIP', { vip, node, leaving: cause, keeps: key });
  logVip(journal, vip, metricNames.unhealthy, 1);
}

function tellContradiction({ logger, metrics }: Telemetry, claim: Claim, why: string | undefined): void {
  const { vip, node, eventId } = claim;
  logger.warn('claim contradicts what its node said', { vip, node, eventId, why });
  metrics.addMetadata('contradicted', `${vip} ${node}`);
  metrics.addMetric(metricNames.contradicted, MetricUnit.Count, 1);
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

/** What CloudWatch Logs adds to an event of LINE_MAX bytes; and what the logger does: service, request, an error with its cause. */
const EVENT_OVERHEAD = 26;
const ENVELOPE_MAX = 8192;
/** Of CloudWatch Logs: an event that is larger is cut, and then no JSON any more. */
const LINE_MAX = 262_144;

/** A large record that fits the table need not fit a line; its digest does in any case. */
const lineLimit: Limit = {
  place: 'the log line',
  max: LINE_MAX - EVENT_OVERHEAD - ENVELOPE_MAX,
  bytes: (entry) => jsonBytes(withoutClaims(entry as Failover)),
};

function withoutClaims(failover: Failover): Omit<Failover, 'claims'> {
  const { claims: _claims, ...told } = failover;
  return told;
}

const lineOf = (failover: Failover): object => withoutClaims(fitted(failover, lineLimit));

/** The line alone, with the digest of the whole record: an edited or deleted one is found by it. */
export function logRecord(journal: Telemetry, failover: Failover): void {
  const proof = digest(failover, sha256);
  const level = isTrouble(failover) ? 'error' : 'info';
  journal.logger[level](`failover ${failover.outcome}`, { ...lineOf(failover), digest: proof });
}

/** `key`: of the entry in the record. */
export function logProof(
  journal: Telemetry,
  key: Pick<Proof, 'vip' | 'id' | 'atMs'>,
  entry: OperatorAction | ApprovalRequest,
): void {
  journal.logger.info('recorded', { ...key, digest: digest(entry, sha256) });
}

/** Without a digest: there is no record, and the next holder closes the epoch. */
export function logUnrecorded({ logger }: Telemetry, failover: Failover, error: unknown): void {
  logger.error(`failover ${failover.outcome}, not recorded`, { ...lineOf(failover), error: toFault(error) });
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

function logFaults(journal: Telemetry, vip: string, faults: readonly Fault[]): void {
  for (const fault of faults) {
    if (!logBug(journal, fault, `the switch of ${vip}`))
      journal.logger.error('the VIP was moved, but a follow-up step failed', { vip, error: fault });
  }
}

/** Errors that have their line: on its way up the same one meets several callers who would log it. */
const logged = new WeakSet<object>();

/** One line with the stack, and the metric, for a mistake in our own code. Returns whether `error` is one. */
export function logBug({ logger, metrics }: Telemetry, error: unknown, where: string): boolean {
  const fault = toFault(error);
  if (fault.kind !== 'bug') return false;
  const thrown = fault.cause instanceof Error ? fault.cause : fault;
  if (logged.has(thrown)) return true;
  logged.add(thrown);
  logger.error('bug in vipshift: please report it', { where, why: fault.message, error: thrown });
  const single = metrics.singleMetric();
  single.addMetadata('where', where);
  single.addMetric(metricNames.bugs, MetricUnit.Count, 1);
  return true;
}

/** A log line has its limit; what was left comes in the next sweep's line, what is unheard is in `vipshift status`. */
const TOLD_MAX = 50;

export function logReconcileAll(journal: Telemetry, sweep: ReconcileAllResult): void {
  for (const report of [...sweep.reports, ...(sweep.repeated ?? [])]) logReconcile(journal, report);
  for (const { vip, fault } of sweep.failures) {
    logBug(journal, fault, `reconcile of ${vip}`);
    journal.logger.error('reconcile failed', { vip, error: fault });
  }
  const { left, warned = [], unasked } = sweep;
  if (warned.length > 0) journal.logger.warn('scheduled events of EC2 announced', { nodes: warned });
  if (unasked !== undefined) {
    logBug(journal, unasked, 'looking for scheduled events');
    journal.logger.error('scheduled events of EC2 not announced', { error: unasked });
    journal.metrics.addMetric(metricNames.warningsUnread, MetricUnit.Count, 1);
  }
  if (left.length > 0)
    journal.logger.warn('no time for all VIPs: the next sweep begins elsewhere', {
      left: left.length,
      vips: left.slice(0, TOLD_MAX),
    });
  if (sweep.hint !== undefined) {
    journal.logger.info('hint', { hint: sweep.hint, vips: sweep.reports.map((r) => r.vip) });
    return;
  }
  const complete = sweep.failures.length === 0 && left.length === 0;
  tellUnheard(journal, sweep, complete);
  if (complete) journal.metrics.addMetric(metricNames.reconciled, MetricUnit.Count, 1);
}

/** A sweep that did not see every VIP cannot say that there is none. */
function tellUnheard(
  { logger, metrics }: Telemetry,
  { reports }: ReconcileAllResult,
  complete: boolean,
): void {
  const unheard = reports.flatMap((r) => (r.unheard === undefined ? [] : [{ vip: r.vip, ...r.unheard }]));
  if (unheard.length > 0)
    logger.error('no claim accepted: see docs/operations.md#no-claims', {
      unheard: unheard.length,
      vips: unheard.slice(0, TOLD_MAX),
    });
  if (complete || unheard.length > 0)
    metrics.addMetric(metricNames.unheard, MetricUnit.Count, unheard.length);
}

/** Of a large VIP's cells the first ones; `vipshift status` shows all. */
function firstOnes({ drift, conflicts, strays, trouble }: ReconcileResult) {
  const lists = { drift, conflicts, strays, trouble };
  const long = Object.entries(lists).filter(([, list]) => list.length > LISTED_MAX);
  if (long.length === 0) return {};
  const cut = long.map(([name, list]) => [name, list.slice(0, LISTED_MAX)] as const);
  const counts = long.map(([name, list]) => [name, list.length - LISTED_MAX] as const);
  return { ...Object.fromEntries(cut), omitted: Object.fromEntries(counts) };
}

export function logReconcile(journal: Telemetry, report: ReconcileResult): void {
  const { switched, ...told } = report;
  if (report.did === 'switched' || report.trouble.length > 0 || report.splitBrain.length > 0)
    journal.logger.warn('reconcile', { ...told, ...firstOnes(report) });
  logFaults(journal, report.vip, switched?.faults ?? []);
  for (const flapping of report.flapping) logFlapping(journal, report.vip, flapping);
  if (report.trouble.length > 0) logVip(journal, report.vip, metricNames.unhealthy, 1);
  if (switched === undefined && report.splitBrain.length > 0)
    logVip(journal, report.vip, metricNames.splitBrain, 1);
}
