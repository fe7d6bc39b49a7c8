// One claim from the bus.
import { invokeForClaim } from '../shared/aws/lambda/claim-invocation.ts';
import { lambda } from '../shared/aws/lambda/handler.ts';
import { lambdaEnvironment, portsFor } from '../shared/aws/wire.ts';

export const handler = lambda(lambdaEnvironment(), portsFor, invokeForClaim);
