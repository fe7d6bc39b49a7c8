// The schedule, once a minute, and hints from AWS.
import { lambda } from '../shared/aws/lambda/handler.ts';
import { invokeForReconcile } from '../shared/aws/lambda/reconcile-invocation.ts';
import { lambdaEnvironment, portsFor } from '../shared/aws/wire.ts';

export const handler = lambda(lambdaEnvironment(), portsFor, invokeForReconcile);
