// What the doctor looks up of the deployed service, once for all VIPs; what cannot be looked up is told and left out.
import { viewTimes } from '../../shared/aws/view-cache.ts';
import type { Facts } from '../../shared/doctor/diagnose.ts';
import type { ServiceFacts } from '../../shared/doctor/service/stack.ts';
import type { ViewTimes } from '../../shared/doctor/service/storage.ts';
import { toleratedFault } from '../../shared/fault.ts';
import { defined } from '../../shared/optional.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import type { Session } from '../command/session.ts';

export interface ServiceSeen {
  readonly facts: ServiceFacts;
  readonly views?: ViewTimes;
  readonly unchecked: Facts['unchecked'];
}

export async function serviceOf(session: Session, vips: readonly Vip[]): Promise<ServiceSeen> {
  const { settings, environment, signal } = session;
  const { stage, bus, vipsTable, timelineTable } = settings;
  const { dynamo, events } = environment.clients;
  const [
    wiring,
    watch,
    { CloudFormationClient },
    { LambdaClient },
    { CloudWatchClient },
    { SQSClient },
    { SNSClient },
  ] = await Promise.all([
    import('../../shared/aws/service/wiring-facts.ts'),
    import('../../shared/aws/service/watch-facts.ts'),
    import('@aws-sdk/client-cloudformation'),
    import('@aws-sdk/client-lambda'),
    import('@aws-sdk/client-cloudwatch'),
    import('@aws-sdk/client-sqs'),
    import('@aws-sdk/client-sns'),
  ]);
  const unchecked: { what: string; why: string }[] = [];
  const tried = async <T>(what: string, look: Promise<T>): Promise<T | undefined> => {
    try {
      return await look;
    } catch (error) {
      unchecked.push({ what, why: toleratedFault(error).message });
      return undefined;
    }
  };
  const config = { maxAttempts: 3 };
  const access = {
    ...{ stacks: new CloudFormationClient(config), lambda: new LambdaClient(config), events },
    ...{ stage, bus, signal },
  };
  const stack = await tried('the stack', wiring.stackOf(access));
  const outputs = stack?.stack?.outputs ?? {};
  const { NoticesTopicArn: topicArn } = outputs;
  const queues = [
    { queue: 'rule-dead-letters', url: outputs.RuleDeadLettersUrl },
    { queue: 'function-failures', url: outputs.FunctionFailuresUrl },
  ].flatMap(({ queue, url }) => (url === undefined ? [] : [{ queue, url }]));
  const sqs = new SQSClient(config);
  const [rules, functions, alarms, topic, counted, tables] = await Promise.all([
    tried('rules', wiring.rulesOf(access)),
    tried('functions', wiring.functionsOf(access)),
    tried('alarms', watch.alarmsOf(new CloudWatchClient(config), stage, signal)),
    topicArn === undefined
      ? undefined
      : tried('subscriptions to the notices', watch.topicOf(new SNSClient(config), topicArn, signal)),
    tried('dead-letter queues', Promise.all(queues.map((queue) => watch.queueOf(sqs, queue, signal)))),
    tried(
      'the tables',
      Promise.all([vipsTable, timelineTable].map((table) => watch.tableStateOf(dynamo, table, signal))),
    ),
  ]);
  // As the function that keeps them was told.
  const told = functions?.find(({ name }) => name === 'reconcile')?.found?.environment
    .VIPSHIFT_RETENTION_DAYS;
  const retentionDays = told === undefined ? settings.retentionDays : Number(told);
  const views = await tried(
    'views',
    viewTimes(
      { client: dynamo, table: timelineTable, signal, retentionDays },
      vips.map((vip) => vip.name),
    ),
  );
  const names = { bus, vipsTable, timelineTable };
  return {
    facts: { stage, names, ...{ stack, rules, functions, alarms, topic, tables }, queues: counted },
    ...defined({ views }),
    unchecked,
  };
}
