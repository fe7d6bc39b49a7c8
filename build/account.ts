/**
 * The account that a deployment goes to: what its stack is deployed with, and what its VIPs have heard.
 *
 * Limit: credentials are found as the SDK finds them, with the profile that osls was given.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { awsVips } from '../shared/aws/dynamodb/vip-store.ts';
import { clients, systemNow } from '../shared/aws/wire.ts';
import { defined } from '../shared/optional.ts';
import { type EpochMs, epochMs } from '../shared/time.ts';
import type { Listening } from './first-claim.ts';
import type { Deployed } from './way-back.ts';

export interface Account {
  /** Undefined when there is no such stack. */
  deployed(stack: string): Promise<Deployed | undefined>;
  listening(vipsTable: string): Pick<Listening, 'look' | 'wait'>;
}

export function accountOf(region: string, profile: string | undefined): Account {
  const access = { region, ...defined({ profile }) };
  const cloudFormation = new CloudFormationClient({ ...access, maxAttempts: 5 });
  return {
    deployed: (stack) => deployed(cloudFormation, stack),
    listening: (table) => listening(clients(access).dynamo, table),
  };
}

async function deployed(client: CloudFormationClient, stack: string): Promise<Deployed | undefined> {
  try {
    const [described, template] = await Promise.all([
      client.send(new DescribeStacksCommand({ StackName: stack })),
      // Nothing else needs this privilege, and a deployment must not fail for want of it: then the way back lists the packages.
      client.send(new GetTemplateCommand({ StackName: stack })).catch(() => undefined),
    ]);
    const made = packageOf(template?.TemplateBody ?? '{}');
    const { Parameters = [], Outputs = [] } = described.Stacks?.[0] ?? {};
    const vipsTable = Outputs.find((output) => output.OutputKey === 'VipsTableName')?.OutputValue;
    return {
      ...defined({ package: made, vipsTable }),
      parameters: Object.fromEntries(Parameters.map((p) => [p.ParameterKey ?? '', p.ParameterValue ?? ''])),
    };
  } catch (error) {
    // The stack's name is right, so what is not valid is that it exists (DescribeStacks API reference, "Errors").
    if (error instanceof Error && error.name === 'ValidationError') return undefined;
    throw error;
  }
}

interface Template {
  readonly Resources?: Readonly<
    Record<string, { readonly Properties?: { readonly Code?: { readonly S3Key?: string } } }>
  >;
}

/** osls puts each package into a folder of the bucket that begins with when it was made. */
function packageOf(template: string): string | undefined {
  const { Resources = {} } = JSON.parse(template) as Template;
  return /\/(\d+)-[^/]+\/[^/]+$/.exec(Resources.FailoverLambdaFunction?.Properties?.Code?.S3Key ?? '')?.[1];
}

function listening(client: DynamoDBClient, table: string): Pick<Listening, 'look' | 'wait'> {
  const awsNow = dated(client);
  const vips = awsVips({ client, table, signal: new AbortController().signal, nonce: randomUUID });
  return {
    look: async () => ({ vips: await vips.list(), awsAtMs: awsNow() }),
    wait: (duration) => delay(duration),
  };
}

/** AWS's time in the last answer, whole seconds rounded down like EventBridge's stamps; ours before there is one. */
function dated(client: DynamoDBClient): () => EpochMs {
  let last: EpochMs | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers?: Readonly<Record<string, string>> };
      const at = Date.parse(headers?.date ?? '');
      if (!Number.isNaN(at)) last = epochMs(at);
      return result;
    },
    { step: 'deserialize', name: 'vipshiftDate' },
  );
  return () => last ?? systemNow();
}
