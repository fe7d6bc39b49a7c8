// An alarm of the packaged template, evaluated over datapoints as CloudWatch does it ("Evaluating an alarm" and "Configuring how alarms
// treat missing data" of its user guide): periods aligned to the clock, M out of N of the newest, missing ones by the alarm's own word.
//
// Limit: CloudWatch looks a little further back than N periods when some are missing, by a number that it does not state; here by two.
import type { Resource } from './template.ts';

export interface Datapoint {
  readonly atMs: number;
  readonly value: number;
}

export type State = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

interface Definition {
  readonly Statistic: 'Sum' | 'Maximum';
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly ComparisonOperator: 'GreaterThanOrEqualToThreshold' | 'LessThanThreshold';
  readonly Threshold: number;
  readonly TreatMissingData: 'breaching' | 'notBreaching' | 'ignore';
}

const LOOKS_BACK_FURTHER = 2;

/** The state at that instant, the period that it lies in included; `was` is the state until then. */
export function stateOf(alarm: Resource, points: readonly Datapoint[], atMs: number, was: State): State {
  const it = alarm.Properties as Definition;
  const periodMs = it.Period * 1000;
  const current = Math.floor(atMs / periodMs);
  const range = it.EvaluationPeriods + LOOKS_BACK_FURTHER;
  const found = Array.from({ length: range }, (_, back) => {
    const values = points
      .filter((p) => p.atMs <= atMs && Math.floor(p.atMs / periodMs) === current - back)
      .map((p) => p.value);
    if (values.length === 0) return undefined;
    return it.Statistic === 'Sum' ? values.reduce((a, b) => a + b) : Math.max(...values);
  });
  const breaches = (value: number) =>
    it.ComparisonOperator === 'LessThanThreshold' ? value < it.Threshold : value >= it.Threshold;
  const real = found.filter((value) => value !== undefined).slice(0, it.EvaluationPeriods);
  const missing = it.EvaluationPeriods - real.length;
  if (missing > 0 && it.TreatMissingData === 'ignore') return was;
  const breaching =
    real.filter(breaches).length + (it.TreatMissingData === 'breaching' ? Math.max(0, missing) : 0);
  return breaching >= (it.DatapointsToAlarm ?? it.EvaluationPeriods) ? 'ALARM' : 'OK';
}
