// The doctor's own clients, loaded when it runs: no other command needs these services.
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { ServicePort } from '../../shared/doctor/packets/rules.ts';
import type { Place } from '../../shared/place.ts';
import { placeHere } from '../command/hint.ts';
import type { Session } from '../command/session.ts';
import { patience, waitingFor } from '../command/waiting.ts';
import type { KeepalivedOptions } from './keepalived-files.ts';

export interface DoctorClients {
  readonly iam: IAMClient;
  readonly stacks: CloudFormationClient;
  readonly lambda: LambdaClient;
  readonly alarms: CloudWatchClient;
  readonly sqs: SQSClient;
  readonly sns: SNSClient;
}

/** What the doctor uses of a session. */
export interface DoctorSession
  extends Pick<Session, 'settings' | 'tag' | 'ec2' | 'signal' | 'now' | 'caller'> {
  /** Named in every command that is printed. */
  readonly place: Place;
  readonly clients: Pick<Session['environment']['clients'], 'dynamo' | 'events'>;
  readonly ports: Pick<Session['ports'], 'clock'>;
  readonly log: Pick<Session['log'], 'probes' | 'find'>;
}

export const doctorSession = (session: Session): DoctorSession => ({
  ...session,
  place: { ...placeHere(), stage: session.settings.stage, region: session.region },
  clients: session.environment.clients,
});

export interface DoctorOptions extends KeepalivedOptions {
  readonly port?: readonly ServicePort[];
  readonly nodeRole?: string;
  readonly probe?: boolean;
  readonly strict?: boolean;
}

export async function doctorClients(): Promise<DoctorClients> {
  const [iam, stacks, lambda, alarms, sqs, sns] = await Promise.all([
    import('@aws-sdk/client-iam'),
    import('@aws-sdk/client-cloudformation'),
    import('@aws-sdk/client-lambda'),
    import('@aws-sdk/client-cloudwatch'),
    import('@aws-sdk/client-sqs'),
    import('@aws-sdk/client-sns'),
  ]);
  const config = { requestHandler: patience, maxAttempts: 3 };
  const made = {
    iam: new iam.IAMClient(config),
    stacks: new stacks.CloudFormationClient(config),
    lambda: new lambda.LambdaClient(config),
    alarms: new alarms.CloudWatchClient(config),
    sqs: new sqs.SQSClient(config),
    sns: new sns.SNSClient(config),
  };
  const step = { step: 'initialize' } as const;
  made.iam.middlewareStack.add(waitingFor('IAM'), step);
  made.stacks.middlewareStack.add(waitingFor('CloudFormation'), step);
  made.lambda.middlewareStack.add(waitingFor('Lambda'), step);
  made.alarms.middlewareStack.add(waitingFor('CloudWatch'), step);
  made.sqs.middlewareStack.add(waitingFor('SQS'), step);
  made.sns.middlewareStack.add(waitingFor('SNS'), step);
  return made;
}
