// Calls of services that no client of ours is for: by hand, against the local AWS only, and the workflows that are looked at with them.

import type { LocalAws } from '../../../lab/aws/local-aws.ts';
import { poll } from '../../../lab/aws/stack/poll.ts';

const scopes: Readonly<Record<string, string>> = {
  AWSEvents: 'events',
  AWSStepFunctions: 'states',
  AmazonSQS: 'sqs',
};

/** One call of a service that speaks JSON: `AWSStepFunctions.StartExecution`. An Error with the service's answer when it refuses. */
export async function call<Reply>(aws: LocalAws, target: string, body: object): Promise<Reply> {
  const [prefix = ''] = target.split('.');
  const reply = await fetch(aws.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': target,
      authorization: credential(aws, scopes[prefix]!),
    },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`${target}: ${await reply.text()}`);
  return (await reply.json()) as Reply;
}

const credential = (aws: LocalAws, service: string) =>
  `AWS4-HMAC-SHA256 Credential=${aws.accountId}/20260101/${aws.region}/${service}/aws4_request, SignedHeaders=host, Signature=local`;

export interface Ended {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly output: Readonly<Record<string, unknown>>;
  readonly error?: string;
  readonly cause?: string;
  /** In the order in which they were entered. */
  readonly states: readonly string[];
}

export async function start(aws: LocalAws, machine: string, name: string, input: object): Promise<string> {
  const request = { stateMachineArn: machine, name, input: JSON.stringify(input) };
  const { executionArn } = await call<{ executionArn: string }>(
    aws,
    'AWSStepFunctions.StartExecution',
    request,
  );
  return executionArn;
}

export async function states(aws: LocalAws, executionArn: string): Promise<readonly string[]> {
  type Event = { readonly stateEnteredEventDetails?: { readonly name: string } };
  const { events } = await call<{ events: readonly Event[] }>(aws, 'AWSStepFunctions.GetExecutionHistory', {
    executionArn,
  });
  return events.flatMap((event) => event.stateEnteredEventDetails?.name ?? []);
}

/** Waits, bounded, for its end. */
export async function ended(aws: LocalAws, executionArn: string): Promise<Ended> {
  type Described = { status: string; output?: string; error?: string; cause?: string };
  const done = await poll(`the end of ${executionArn}`, async () => {
    const found = await call<Described>(aws, 'AWSStepFunctions.DescribeExecution', { executionArn });
    return found.status === 'RUNNING' ? undefined : found;
  });
  return {
    status: done.status as Ended['status'],
    output: JSON.parse(done.output ?? '{}'),
    ...(done.error === undefined ? {} : { error: done.error }),
    ...(done.cause === undefined ? {} : { cause: done.cause }),
    states: await states(aws, executionArn),
  };
}

export interface Inbox {
  /** Everything that was published since it was opened, in order. */
  messages(): Promise<readonly { readonly Subject?: string; readonly Message: string }[]>;
}

/** A queue that is subscribed to a topic. */
export async function subscribe(aws: LocalAws, topicArn: string): Promise<Inbox> {
  const QueueName = `inbox-${crypto.randomUUID()}`;
  const { QueueUrl } = await call<{ QueueUrl: string }>(aws, 'AmazonSQS.CreateQueue', { QueueName });
  const Endpoint = `arn:aws:sqs:${aws.region}:${aws.accountId}:${QueueName}`;
  const form = { Action: 'Subscribe', Version: '2010-03-31', TopicArn: topicArn, Protocol: 'sqs', Endpoint };
  const reply = await fetch(aws.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: credential(aws, 'sns') },
    body: new URLSearchParams(form),
  });
  if (!reply.ok) throw new Error(`Subscribe: ${await reply.text()}`);
  const got: { Subject?: string; Message: string }[] = [];
  return {
    async messages() {
      for (const { Body } of await receive(aws, QueueUrl)) got.push(JSON.parse(Body));
      return got;
    },
  };
}

/** What lies in a queue, taken out of it. */
export async function receive(aws: LocalAws, QueueUrl: string): Promise<readonly { Body: string }[]> {
  type Reply = { Messages?: readonly { Body: string; ReceiptHandle: string }[] };
  const { Messages = [] } = await call<Reply>(aws, 'AmazonSQS.ReceiveMessage', {
    QueueUrl,
    MaxNumberOfMessages: 10,
  });
  for (const { ReceiptHandle } of Messages)
    await call(aws, 'AmazonSQS.DeleteMessage', { QueueUrl, ReceiptHandle });
  return Messages;
}

export async function queueLength(aws: LocalAws, QueueUrl: string): Promise<number> {
  const { Attributes } = await call<{ Attributes: Record<string, string> }>(
    aws,
    'AmazonSQS.GetQueueAttributes',
    {
      QueueUrl,
      AttributeNames: ['All'],
    },
  );
  return (
    Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible)
  );
}

export const sendMessage = (aws: LocalAws, QueueUrl: string, MessageBody: string): Promise<unknown> =>
  call(aws, 'AmazonSQS.SendMessage', { QueueUrl, MessageBody });

/** The attributes of a message that lies in a queue; it stays there. */
export async function attributesOf(
  aws: LocalAws,
  QueueUrl: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  type Attributes = Record<string, { StringValue: string }>;
  const request = { QueueUrl, VisibilityTimeout: 0, MessageAttributeNames: ['All'] };
  type Reply = { Messages?: readonly { MessageAttributes?: Attributes }[] };
  const [message] = (await call<Reply>(aws, 'AmazonSQS.ReceiveMessage', request)).Messages ?? [];
  if (message === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(message.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue]),
  );
}

/** Whether a rule may invoke a function is a statement of the function's own policy. */
export const removePermission = (aws: LocalAws, functionName: string, statement: string): Promise<void> =>
  policy(aws, functionName, `/${statement}`, { method: 'DELETE' });

export const addPermission = (
  aws: LocalAws,
  functionName: string,
  statement: string,
  SourceArn: string,
): Promise<void> =>
  policy(aws, functionName, '', {
    method: 'POST',
    body: JSON.stringify({
      ...{ StatementId: statement, Action: 'lambda:InvokeFunction' },
      ...{ Principal: 'events.amazonaws.com', SourceArn },
    }),
  });

async function policy(aws: LocalAws, name: string, path: string, init: RequestInit): Promise<void> {
  const reply = await fetch(`${aws.endpoint}/2015-03-31/functions/${name}/policy${path}`, {
    ...init,
    headers: { authorization: credential(aws, 'lambda') },
  });
  if (!reply.ok) throw new Error(`${init.method} policy of ${name}: ${await reply.text()}`);
}

/** How many may run at once: 0 is none at all, `undefined` as many as the account allows. */
export async function setConcurrency(aws: LocalAws, name: string, most: number | undefined): Promise<void> {
  const reply = await fetch(`${aws.endpoint}/2017-10-31/functions/${name}/concurrency`, {
    headers: { authorization: credential(aws, 'lambda') },
    ...(most === undefined
      ? { method: 'DELETE' }
      : { method: 'PUT', body: JSON.stringify({ ReservedConcurrentExecutions: most }) }),
  });
  if (!reply.ok) throw new Error(`concurrency of ${name}: ${await reply.text()}`);
}
