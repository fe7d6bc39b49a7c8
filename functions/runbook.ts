// One state of the workflow `failover`, the step that has the state's name; and a dead letter that the redrive has read.
import { lambda } from '../shared/aws/lambda/handler.ts';
import { stepFrom } from '../shared/aws/step-functions/step-event.ts';
import { lambdaEnvironment, portsFor } from '../shared/aws/wire.ts';

export const handler = lambda(lambdaEnvironment(), portsFor, async (event, { ports, telemetry }) => {
  const step = stepFrom(event);
  const answer = await step.run(ports);
  telemetry.logger.info(`step ${step.name}`, { answer });
  return answer;
});
