// The deployed handler in this process: functions/failover.ts with Lambda's wrapper around it, and a fake region behind its SDK clients.
import type { Context } from 'aws-lambda';

const credentials = {
  AWS_ACCESS_KEY_ID: 'AKIABENCH',
  AWS_SECRET_ACCESS_KEY: 'bench',
  AWS_SESSION_TOKEN: 'bench',
};

export const environmentVariables = (endpoint: string): Readonly<Record<string, string>> => ({
  ...credentials,
  AWS_REGION: 'eu-central-1',
  // The CLI asks for this one.
  AWS_DEFAULT_REGION: 'eu-central-1',
  AWS_ENDPOINT_URL: endpoint,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_LAMBDA_FUNCTION_NAME: 'vipshift-bench-failover',
  VIPSHIFT_STAGE: 'bench',
  VIPSHIFT_VIPS_TABLE: 'vips',
  VIPSHIFT_TIMELINE_TABLE: 'timeline',
  VIPSHIFT_BUS: 'bench',
  VIPSHIFT_NODE_IDENTITY: 'none',
  // Failovers back to back would draw on one bucket; here each has a full one.
  VIPSHIFT_EC2_RATES: 'ReplaceRoute=1000000/1000000',
  POWERTOOLS_SERVICE_NAME: 'vipshift',
  // What a log line costs is measured, what the terminal costs is not.
  POWERTOOLS_LOG_LEVEL: 'CRITICAL',
  POWERTOOLS_METRICS_DISABLED: 'true',
});

export type Handler = (event: unknown, context: Context) => Promise<{ readonly answer: string }>;

const TIMEOUT_MS = 300_000;

export const context = (): Context => {
  const ends = Date.now() + TIMEOUT_MS;
  return {
    functionName: 'vipshift-bench-failover',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:vipshift-bench-failover',
    memoryLimitInMB: '1769',
    awsRequestId: 'bench',
    logGroupName: 'bench',
    logStreamName: 'bench',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => ends - Date.now(),
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  };
};

/** `sandbox`: another name is another sandbox, with clients of its own. */
export async function loadHandler(endpoint: string, sandbox = ''): Promise<Handler> {
  Object.assign(process.env, environmentVariables(endpoint));
  const module = `../../functions/failover.ts${sandbox === '' ? '' : `?${sandbox}`}`;
  const { handler } = (await import(module)) as { handler: unknown };
  return handler as Handler;
}
