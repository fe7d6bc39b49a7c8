// One state of the workflow `failover`: the step that has the state's name.
import { type Invocation, lambda } from '../shared/aws/lambda/handler.ts';
import { stepFrom } from '../shared/aws/step-functions/step-event.ts';

export const handler = lambda(async (event: unknown, { ports, telemetry: journal }: Invocation) => {
  const step = stepFrom(event);
  const answer = await step.run(ports);
  journal.logger.info(`step ${step.name}`, { answer });
  return answer;
});
