// Absence: how each service says that there is no such thing. A removal counts it as done.
const codes = /NoSuchEntity|NotFound|DoesNotExist|\.Malformed$/;

export const saysAbsent = (error: unknown): boolean =>
  error instanceof Error && (codes.test(error.name) || isAbsentStack(error));

/** CloudFormation has no code of its own for a stack that is not there (API reference, DescribeStacks). */
const isAbsentStack = ({ name, message }: Error): boolean =>
  name === 'ValidationError' && / does not exist$/.test(message);

/** What `ask` finds; undefined when the service says that there is nothing. */
export async function ifThere<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (saysAbsent(error)) return undefined;
    throw error;
  }
}
