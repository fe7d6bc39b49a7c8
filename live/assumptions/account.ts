// The clients with which an account is asked.
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { IAMClient } from '@aws-sdk/client-iam';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import type { LocalAws } from '../../lab/aws/local-aws.ts';
import { defined } from '../../shared/optional.ts';
import type { Account, Credentials } from './questions.ts';

/** The account of this shell. */
export async function shellAccount(region: string | undefined, signal: AbortSignal): Promise<Account> {
  const settings = defined({ region });
  const events = new EventBridgeClient(settings);
  const own = await events.config.region();
  const { url } = events.config.endpointProvider({ Region: own });
  const all = clients(settings, {});
  // Of the Region, as the nodes ask it; without this it would be the global one in some.
  const sts = all.sts.config.endpointProvider({ Region: own, UseGlobalEndpoint: false });
  return { ...all, region: own, eventsEndpoint: url.origin, stsEndpoint: sts.url.origin, signal };
}

/** Of a local AWS. */
export function localAccount(aws: LocalAws, signal: AbortSignal): Account {
  const access = {
    region: aws.region,
    credentials: { accessKeyId: aws.accountId, secretAccessKey: 'local' },
  };
  const place = { endpoint: aws.endpoint };
  const all = clients({ ...access, ...place }, { endpoint: aws.ec2Endpoint });
  return { ...all, region: aws.region, eventsEndpoint: aws.endpoint, stsEndpoint: aws.endpoint, signal };
}

function clients(
  settings: object,
  ofEc2: object,
): Omit<Account, 'region' | 'eventsEndpoint' | 'stsEndpoint' | 'signal'> {
  const as = (credentials?: Credentials) => {
    const own = { ...settings, ...defined({ credentials }) };
    return { ec2: new EC2Client({ ...own, ...ofEc2 }), sfn: new SFNClient(own) };
  };
  return {
    ...as(),
    as,
    events: new EventBridgeClient(settings),
    logs: new CloudWatchLogsClient(settings),
    iam: new IAMClient(settings),
    ssm: new SSMClient(settings),
    sts: new STSClient(settings),
    cloudFormation: new CloudFormationClient(settings),
  };
}
