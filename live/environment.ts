// Context: where a run takes place. An account of AWS, or a local AWS with emulated machines; everything else is the same code for both.
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { Stacks } from './aws/stacks.ts';
import type { Identity } from './build/node-role.ts';
import type { Service } from './build/service.ts';
import type { Machines } from './machines.ts';
import type { MachineName } from './plan.ts';
import type { Run } from './run-id.ts';

export interface LiveContext {
  /** For people: `AWS account 1111…, eu-central-1`. */
  readonly name: string;
  readonly region: string;
  readonly account: string;
  readonly ec2: EC2Client;
  readonly iam: IAMClient;
  readonly dynamo: DynamoDBClient;
  readonly logs: CloudWatchLogsClient;
  readonly stacks: Stacks;
  readonly service: Service;
  /** Between two rounds of removing. */
  readonly pauseMs: number;
  image(): Promise<string>;
  /** Once the instances run and the service is there. */
  machines(testBed: TestBed, signal: AbortSignal): Promise<Machines>;
  close(): Promise<void>;
}

/** Everything that was made for one run. */
export interface TestBed {
  readonly run: Run;
  readonly identity: Identity;
  readonly vpcId: string;
  /** The labelled route table of the probe's subnet. */
  readonly probeTable: string;
  readonly instances: Instances;
}

export interface RunningInstance {
  readonly instanceId: string;
  readonly zone: string;
}
export type Instances = Readonly<Record<MachineName, RunningInstance>>;
