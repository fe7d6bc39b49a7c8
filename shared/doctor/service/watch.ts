// The doctor on whether anyone would notice: alarms with their actions, the topic with its subscribers, and what waits in the
// dead-letter queues.
import { awsCommand } from '../../place.ts';
import type { Finding } from '../finding.ts';
import { deployedAgain, type ServiceFacts, serviceFault, serviceWarning } from './stack.ts';

/** Those of resources/alarms.yml, without the stage. */
export const alarmNames = [
  ...['dead-man', 'no-claims', 'failover-trouble', 'split-brain', 'unhealthy', 'claims-rejected'],
  ...['claims-of-newer-version', 'claims-contradicted', 'bugs', 'rule-dead-letters'],
  ...['function-failures', 'failover-throttled', 'node-flapping', 'departure-failed'],
  'warnings-unread',
] as const;

export const watchFindings = (facts: ServiceFacts): readonly Finding[] => [
  ...alarmFindings(facts),
  ...topicFindings(facts),
  ...queueFindings(facts),
];

function alarmFindings(facts: ServiceFacts): readonly Finding[] {
  const { place, alarms, stack, topic } = facts;
  if (alarms === undefined) return [];
  const notices = topic?.arn ?? stack?.stack?.outputs.NoticesTopicArn;
  return alarmNames.flatMap((name): readonly Finding[] => {
    const subject = `vipshift-${place.stage}-${name}`;
    const alarm = alarms.find((one) => one.alarm === subject);
    if (alarm === undefined)
      return [
        serviceFault('alarm-missing', {
          subject,
          found: 'there is no such alarm',
          expected: 'as the stack made it',
          remedy: deployedAgain(facts),
        }),
      ];
    const found: Finding[] = [];
    if (!alarm.actionsEnabled)
      found.push(
        serviceFault('alarm-mute', {
          subject,
          found: 'its actions are disabled: it tells no one',
          expected: 'enabled',
          remedy: { command: awsCommand(`cloudwatch enable-alarm-actions --alarm-names ${subject}`, place) },
        }),
      );
    if (alarm.actions.length === 0 || (notices !== undefined && !alarm.actions.includes(notices)))
      found.push(
        serviceFault('alarm-mute', {
          subject,
          found:
            alarm.actions.length === 0
              ? 'has no action: it tells no one'
              : `acts on ${alarm.actions.join(', ')}`,
          expected: notices ?? 'the topic of the notices',
          remedy: deployedAgain(facts),
        }),
      );
    if (alarm.state === 'ALARM')
      found.push(
        (name === 'dead-man' ? serviceFault : serviceWarning)('alarm-raised', {
          subject,
          found:
            name === 'dead-man' ? 'is in ALARM: reconcile does not run or does not succeed' : 'is in ALARM',
          expected: 'OK',
          remedy: { sentence: `docs/operations.md#${name}` },
        }),
      );
    return found;
  });
}

function topicFindings({ topic, place }: ServiceFacts): readonly Finding[] {
  if (topic === undefined || topic.confirmed > 0) return [];
  return [
    serviceFault('notices-unheard', {
      subject: topic.arn,
      found:
        topic.pending === 0
          ? 'no one subscribes to it: no notice and no alarm reaches anyone'
          : `${topic.pending} subscription${topic.pending === 1 ? ' waits' : 's wait'} for confirmation, and there is no other`,
      expected: 'a subscriber on call',
      remedy: {
        command: awsCommand(
          `sns subscribe --topic-arn ${topic.arn} --protocol email --notification-endpoint ADDRESS`,
          place,
        ),
        remark: 'ADDRESS has to confirm',
      },
    }),
  ];
}

const queueFindings = (facts: ServiceFacts): readonly Finding[] =>
  (facts.queues ?? []).flatMap(({ queue, url, waiting }): readonly Finding[] => {
    if (waiting === 0) return [];
    if (waiting === undefined)
      return [
        serviceFault('dead-letters', {
          subject: url,
          found: 'there is no such queue: what was not handled is lost',
          expected: 'as the stack made it',
          remedy: deployedAgain(facts),
        }),
      ];
    const machine = facts.stack?.stack?.outputs.RedriveMachineArn ?? 'RedriveMachineArn';
    return [
      serviceWarning('dead-letters', {
        subject: queue,
        found: `${waiting} event${waiting === 1 ? ' was' : 's were'} not handled and ${waiting === 1 ? 'waits' : 'wait'} there`,
        expected: 'none: what kept them from being handled may do so again',
        remedy: {
          command: awsCommand(
            `stepfunctions start-execution --state-machine-arn ${machine} --input '{"queue":"${queue}"}'`,
            facts.place,
          ),
          remark: 'first repair the cause (docs/operations.md, Dead letters)',
        },
      }),
    ];
  });
