// What the doctor reads of alarms, the notices' topic, the dead-letter queues and the tables.
import { type CloudWatchClient, paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { paginateListSubscriptionsByTopic, type SNSClient } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { AlarmFact, QueueFact, TableStateFact, TopicFact } from '../../doctor/service/stack.ts';
import { defined } from '../../optional.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';

export async function alarmsOf(
  client: CloudWatchClient,
  stage: string,
  abortSignal: AbortSignal,
): Promise<readonly AlarmFact[]> {
  try {
    const pages = paginateDescribeAlarms(
      { client },
      { AlarmNamePrefix: `vipshift-${stage}-` },
      { abortSignal },
    );
    return (await collect(pages, (page) => page.MetricAlarms)).map((alarm) => ({
      alarm: alarm.AlarmName ?? '',
      state: alarm.StateValue ?? 'INSUFFICIENT_DATA',
      actionsEnabled: alarm.ActionsEnabled ?? true,
      actions: alarm.AlarmActions ?? [],
    }));
  } catch (error) {
    throw faultFromSdkError(error, 'looking up alarms');
  }
}

export async function topicOf(client: SNSClient, arn: string, abortSignal: AbortSignal): Promise<TopicFact> {
  try {
    const pages = paginateListSubscriptionsByTopic({ client }, { TopicArn: arn }, { abortSignal });
    const found = await collect(pages, (page) => page.Subscriptions);
    // SNS API reference: one that waits has this in the place of its ARN.
    const pending = found.filter((one) => one.SubscriptionArn === 'PendingConfirmation').length;
    const gone = found.filter((one) => one.SubscriptionArn === 'Deleted').length;
    return { arn, confirmed: found.length - pending - gone, pending };
  } catch (error) {
    throw faultFromSdkError(error, `looking up the subscriptions of ${arn}`);
  }
}

export async function queueOf(
  client: SQSClient,
  { queue, url }: Pick<QueueFact, 'queue' | 'url'>,
  abortSignal: AbortSignal,
): Promise<QueueFact> {
  try {
    const { Attributes = {} } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...counts] }),
      { abortSignal },
    );
    return { queue, url, waiting: counts.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0) };
  } catch (error) {
    const fault = faultFromSdkError(error, `looking up the queue ${queue}`);
    if (fault.kind === 'gone') return { queue, url };
    throw fault;
  }
}

/** Those that were received and not deleted, too. */
const counts = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

export async function tableStateOf(
  client: DynamoDBClient,
  TableName: string,
  abortSignal: AbortSignal,
): Promise<TableStateFact> {
  const abort = { abortSignal };
  try {
    const [{ Table }, { TimeToLiveDescription: ttl }, { ContinuousBackupsDescription: backups }] =
      await Promise.all([
        client.send(new DescribeTableCommand({ TableName }), abort),
        client.send(new DescribeTimeToLiveCommand({ TableName }), abort),
        client.send(new DescribeContinuousBackupsCommand({ TableName }), abort),
      ]);
    const runsOut = ['ENABLED', 'ENABLING'].includes(ttl?.TimeToLiveStatus ?? '');
    const recovery = backups?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus;
    return {
      table: TableName,
      found: {
        status: Table?.TableStatus ?? 'unknown',
        isProtected: Table?.DeletionProtectionEnabled ?? false,
        recovers: recovery === 'ENABLED',
        ...defined({ ttl: runsOut ? ttl?.AttributeName : undefined }),
      },
    };
  } catch (error) {
    const fault = faultFromSdkError(error, `looking up the table ${TableName}`);
    if (fault.kind === 'gone') return { table: TableName };
    throw fault;
  }
}
