// Absence: how each service says that there is no such thing. A removal counts it as done.
const words = /NoSuchEntity|NotFound|does not exist|\.Malformed$/;

export const saysAbsent = (error: unknown): boolean =>
  error instanceof Error && (words.test(error.name) || words.test(error.message));

/** What `ask` finds; undefined when the service says that there is nothing. */
export async function ifThere<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (saysAbsent(error)) return undefined;
    throw error;
  }
}
