// Absence: how each service says that there is no such thing. A removal counts it as done.

import { isFault } from '../../shared/fault.ts';

/** By the service's code, never by its sentence: that of a failure may quote another one's. */
export function saysAbsent(error: unknown): boolean {
  if (isFault(error)) return error.code === NOT_FOUND;
  if (!(error instanceof Error)) return false;
  // CloudFormation has no code for it.
  return (
    error.name === NOT_FOUND || (error.name === 'ValidationError' && /does not exist/.test(error.message))
  );
}

/** Of DynamoDB and CloudWatch Logs. */
const NOT_FOUND = 'ResourceNotFoundException';

/** What `ask` finds; undefined when the service says that there is nothing. */
export async function ifThere<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (saysAbsent(error)) return undefined;
    throw error;
  }
}
