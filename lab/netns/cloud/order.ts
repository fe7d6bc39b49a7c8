/**
 * Order: an operator's order in the lab, carried out by the deployed workflow.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { SFNClientConfig } from '@aws-sdk/client-sfn';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';

export interface OrderEnd {
  readonly status: string;
  /** Why it failed, as the execution says. */
  readonly cause: string | undefined;
  /** The message that went to the people. */
  readonly message: string;
}

/** Within this every path of the workflow has come to its end, approval left out. */
const TIMEOUT_MS = 90_000;
const LOOK_AGAIN_MS = 100;

/** Starts the workflow and waits for its end. */
export async function giveOrder(config: SFNClientConfig, machine: string, input: object): Promise<OrderEnd> {
  const client = new SFNClient(config);
  try {
    const started = await client.send(
      new StartExecutionCommand({ stateMachineArn: machine, input: JSON.stringify(input) }),
    );
    const untilMs = Date.now() + TIMEOUT_MS;
    for (;;) {
      const found = await client.send(new DescribeExecutionCommand({ executionArn: started.executionArn }));
      if (found.status !== 'RUNNING') {
        const scenario = JSON.parse(found.output ?? '{}') as { report?: { text?: string } };
        return { status: found.status ?? '', cause: found.cause, message: scenario.report?.text ?? '' };
      }
      if (Date.now() > untilMs) throw new Error(`the order did not end within ${TIMEOUT_MS / 1000} s`);
      await delay(LOOK_AGAIN_MS);
    }
  } finally {
    client.destroy();
  }
}
