// What the doctor looks up of the deployed service, once for all VIPs; what cannot be looked up is told and left out.
import { alarmsOf, queueOf, tableStateOf, topicOf } from '../../shared/aws/service/watch-facts.ts';
import { functionsOf, rulesOf, stackOf, urlOf } from '../../shared/aws/service/wiring-facts.ts';
import { viewTimes } from '../../shared/aws/view-cache.ts';
import type { Facts } from '../../shared/doctor/diagnose.ts';
import type { ServiceFacts } from '../../shared/doctor/service/stack.ts';
import type { ViewTimes } from '../../shared/doctor/service/storage.ts';
import { defined } from '../../shared/optional.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import { attempts } from './attempts.ts';
import type { DoctorClients, DoctorSession } from './clients.ts';

export interface ServiceSeen {
  readonly facts: ServiceFacts;
  readonly views?: ViewTimes;
  readonly unchecked: Facts['unchecked'];
}

export async function serviceOf(
  session: DoctorSession,
  { stacks, lambda, alarms: watching, sqs, sns }: DoctorClients,
  vips: readonly Vip[],
): Promise<ServiceSeen> {
  const { settings, place, signal } = session;
  const { stage, bus, vipsTable, timelineTable } = settings;
  const { dynamo, events } = session.clients;
  const { unchecked, tried } = attempts();
  const access = { stacks, lambda, events, stage, bus, signal };
  const stack = await tried('the stack', () => stackOf(access), undefined);
  const outputs = stack?.stack?.outputs ?? {};
  const { NoticesTopicArn: topicArn } = outputs;
  const queues = [
    { queue: 'rule-dead-letters', url: outputs.RuleDeadLettersUrl },
    { queue: 'function-failures', url: outputs.FunctionFailuresUrl },
  ].flatMap(({ queue, url }) => (url === undefined ? [] : [{ queue, url }]));
  const [rules, functions, url, alarms, topic, counted, tables] = await Promise.all([
    tried('rules', () => rulesOf(access), undefined),
    tried('functions', () => functionsOf(access), undefined),
    tried('the function URL', () => urlOf(access), undefined),
    tried('alarms', () => alarmsOf(watching, stage, signal), undefined),
    topicArn === undefined
      ? undefined
      : tried('subscriptions to the notices', () => topicOf(sns, topicArn, signal), undefined),
    tried(
      'dead-letter queues',
      () => Promise.all(queues.map((queue) => queueOf(sqs, queue, signal))),
      undefined,
    ),
    tried(
      'the tables',
      () => Promise.all([vipsTable, timelineTable].map((table) => tableStateOf(dynamo, table, signal))),
      undefined,
    ),
  ]);
  // As the function that keeps them was told.
  const told = functions?.find(({ name }) => name === 'reconcile')?.found?.environment
    .VIPSHIFT_RETENTION_DAYS;
  const retentionDays = told === undefined ? settings.retentionDays : Number(told);
  const views = await tried(
    'views',
    () =>
      viewTimes(
        { client: dynamo, table: timelineTable, signal, retentionDays },
        vips.map((vip) => vip.name),
      ),
    undefined,
  );
  const names = { bus, vipsTable, timelineTable };
  return {
    facts: { place, names, ...{ stack, rules, functions, url, alarms, topic, tables }, queues: counted },
    ...defined({ views }),
    unchecked,
  };
}
