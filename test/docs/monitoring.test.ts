// docs/reference/monitoring.md against the code and the packaged template: metrics as they are emitted, alarms, dashboard, log groups with the
// lines that are written there, and the events field by field.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { VERSION } from '../../shared/aws/events/claim-event.ts';
import { FAILED, FINISHED, FLAPPING, LEAVING, WARNED } from '../../shared/aws/events/publisher.ts';
import {
  countNewerVersion,
  logAnswer,
  logBug,
  logFailover,
  logReconcileAll,
  metricNames,
  metricsNamespace,
  type Telemetry,
} from '../../shared/aws/lambda/telemetry.ts';
import { Fault } from '../../shared/fault.ts';
import { epochMs } from '../../shared/time.ts';
import { milestone } from '../../shared/timeline/milestone.ts';
import { type Failover, outcomes } from '../../shared/timeline/timeline.ts';
import { newVip } from '../../shared/vip/vip.ts';
import { packaged } from '../deploy/support/packaged.ts';
import type { Template } from '../deploy/support/template.ts';
import { claimOf, entry } from '../support/world.ts';
import { text } from './pages.ts';
import { codeIn, tableOf } from './tables.ts';

const root = join(import.meta.dirname, '..', '..');
const page = text('docs/reference/monitoring.md');

let prod: Template;
beforeAll(async () => {
  prod = JSON.parse(await packaged('prod')) as Template;
});
const ofType = (type: string) => Object.values(prod.Resources).filter(({ Type }) => Type === type);

describe('the table of metrics', () => {
  interface Directive {
    readonly Namespace: string;
    readonly Dimensions: readonly (readonly string[])[];
    readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
  }
  let directives: Directive[];
  beforeEach(() => {
    directives = [];
    for (const how of ['log', 'info', 'warn', 'error'] as const)
      vi.spyOn(console, how).mockImplementation((line: string) => {
        const told = JSON.parse(line) as { readonly _aws?: { readonly CloudWatchMetrics: Directive[] } };
        directives.push(...(told._aws?.CloudWatchMetrics ?? []));
      });
    vi.stubEnv('POWERTOOLS_DEV', 'true');
    vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  /** One of everything that is counted. */
  function everything(): void {
    const metrics = new Metrics({ namespace: metricsNamespace('prod'), serviceName: 'vipshift' });
    const logger = new Logger({ serviceName: 'vipshift', logLevel: 'SILENT' });
    const telemetry: Telemetry = { logger, metrics, byVip: true };
    const vip = newVip(entry);
    const claim = claimOf('i-a');
    const stages = [milestone('claim-began', epochMs(1)), milestone('last-accepted', epochMs(2))];
    const failover = { vip: 'web', outcome: 'switched', stages, splitBrain: ['i-a', 'i-b'] };
    const record = { ...failover, claims: {}, steps: [], conflicts: [], notes: [] } as unknown as Failover;
    logFailover(telemetry, record);
    logFailover(telemetry, { ...record, outcome: 'failed' });
    const storm = { node: 'i-a', sinceMs: epochMs(1), untilMs: epochMs(2), transitions: 4 };
    logAnswer(telemetry, { answer: 'recorded', vip, news: true, storm, contradiction: 'no' }, claim);
    const refusal = { reason: 'unknown-vip', message: 'no' } as const;
    logAnswer(telemetry, { answer: 'rejected', refusal }, claim);
    countNewerVersion(telemetry, VERSION + 1);
    logBug(telemetry, new TypeError('x is not a function'), 'a test');
    const report = { vip: 'web', did: 'nothing', why: 'in sync', trouble: ['no second node'] } as const;
    const lists = { drift: [], conflicts: [], strays: [], splitBrain: [], flapping: [] };
    logReconcileAll(telemetry, {
      reports: [{ ...report, ...lists }],
      failures: [],
      left: [],
      unasked: new Fault('throttled', 'Throttled', 'x'),
    });
    metrics.publishStoredMetrics();
  }

  it('has every metric in the order of the code, with the unit that is sent', () => {
    everything();
    const unit = new Map(directives.flatMap((d) => d.Metrics.map((m) => [m.Name, m.Unit] as const)));
    const rows = tableOf(page, 'metric', 'unit', 'a data point is');
    expect(rows.map(([name, sent]) => [codeIn(name!)[0], sent])).toEqual(
      Object.values(metricNames).map((name) => [name, unit.get(name)]),
    );
  });

  it('says namespace and dimensions as they are sent: the first four also by VIP', () => {
    everything();
    const sent = (dimensions: string) =>
      directives
        .filter((d) => d.Dimensions.flat().sort().join() === dimensions)
        .flatMap((d) => d.Metrics.map(({ Name }) => Name));
    expect(new Set(sent('service'))).toEqual(new Set(Object.values(metricNames)));
    expect(new Set(sent('service,vip'))).toEqual(new Set(Object.values(metricNames).slice(0, 4)));
    expect(new Set(directives.map((d) => d.Namespace))).toEqual(new Set(['vipshift/prod']));
    expect(page).toContain(
      'Namespace `vipshift/prod`. Dimension `service` = `vipshift`; the first four also',
    );
  });
});

describe('the table of alarms', () => {
  interface Alarm {
    readonly AlarmName: string;
    readonly MetricName: string;
    readonly Period: number;
    readonly EvaluationPeriods: number;
    readonly DatapointsToAlarm?: number;
    readonly ComparisonOperator: string;
    readonly Threshold: number;
    readonly TreatMissingData: string;
  }
  const raisedBy = (alarm: Alarm): string => {
    const of = alarm.EvaluationPeriods;
    const bad = alarm.DatapointsToAlarm ?? of;
    const minutes = alarm.Period / 60;
    const missing = alarm.TreatMissingData === 'breaching' ? ', or missing' : '';
    if (alarm.ComparisonOperator === 'LessThanThreshold')
      return `${bad} of ${of} minutes below ${alarm.Threshold}${missing}`;
    if (minutes > 1) return `${alarm.Threshold} or more in ${minutes} minutes`;
    return `${bad} of ${of} minutes at ${alarm.Threshold} or more`;
  };
  const after = (alarm: Alarm): string =>
    `${((alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods) * alarm.Period) / 60} min`;

  it('is the template’s', () => {
    const alarms = ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties as Alarm);
    const rows = tableOf(page, 'alarm', 'metric', 'raised by', 'after');
    expect(rows.map(([name, metric, by, min]) => [name, metric, by, min!.replace(/;.*/, '')])).toEqual(
      alarms.map((alarm) => {
        const name = alarm.AlarmName.replace('vipshift-prod-', '');
        const link = `[${name}](../operations.md#${name})`;
        return [link, `\`${alarm.MetricName}\``, raisedBy(alarm), after(alarm)];
      }),
    );
  });
});

it('the dashboard has the widgets that are named', () => {
  const [dashboard] = ofType('AWS::CloudWatch::Dashboard');
  const { DashboardName, DashboardBody } = dashboard!.Properties as {
    readonly DashboardName: string;
    readonly DashboardBody: { readonly 'Fn::Sub': string };
  };
  const titles = [...DashboardBody['Fn::Sub'].matchAll(/"title": "([^"]+)"/g)].map(([, title]) => title!);
  const section = page.split('\n## Dashboard\n')[1]!.split('\n## ')[0]!.replace(/\s+/g, ' ');
  expect(section).toContain(`\`${DashboardName}\``);
  expect([...section.matchAll(/\*([^*]+)\*/g)].map(([, title]) => title)).toEqual(titles);
});

describe('the table of logs', () => {
  const rows = tableOf(page, 'log group', 'lines to look for (`message`)');

  it('has every log group of the stack', () => {
    const groups = ofType('AWS::Logs::LogGroup').map(({ Properties }) => Properties.LogGroupName as string);
    expect(rows.map(([group]) => codeIn(group!)[0]!).sort()).toEqual(groups.sort());
  });

  it('has lines that the code writes: an outcome or a step’s name stands for any', () => {
    const sources = ['functions/runbook.ts', 'shared/aws/lambda/telemetry.ts']
      .map((path) => readFileSync(join(root, path), 'utf8'))
      .join('\n');
    const isWritten = (line: string) => {
      const [, first, last] = /^(failover|step) (\S+)$/.exec(line) ?? [];
      const isAny = last === '…' || (outcomes as readonly string[]).includes(last!);
      return sources.includes(`'${line}'`) || (isAny && sources.includes(`\`${first} \${`));
    };
    const lines = rows.flatMap(([, cell]) => codeIn(cell!));
    expect(lines.filter((line) => !isWritten(line))).toEqual([]);
  });
});

describe('the events', () => {
  interface Schema {
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly type?: string;
  }
  const schema = JSON.parse(
    readFileSync(join(root, 'events', 'vip-failover-finished.schema.json'), 'utf8'),
  ) as Schema;
  const fields = (of: Schema, path: string): readonly string[] =>
    of.properties === undefined
      ? [path]
      : Object.entries(of.properties).flatMap(([name, inner]) =>
          fields(inner, path === '' ? name : `${path}.${name}`),
        );

  it('are those that the controller publishes', () => {
    const rows = tableOf(page, 'detail-type', 'when', 'schema');
    expect(rows.map(([type]) => codeIn(type!)[0])).toEqual([FINISHED, FAILED, FLAPPING, LEAVING, WARNED]);
  });

  it('have the fields of the schema, each', () => {
    const rows = tableOf(page, 'field', 'type', '');
    expect(rows.flatMap(([names]) => codeIn(names!)).sort()).toEqual(
      [...fields(schema.properties!.detail!, '')].sort(),
    );
  });
});
