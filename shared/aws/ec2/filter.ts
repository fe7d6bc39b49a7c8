/** One of EC2's filters. */
export const filter = (name: string, values: readonly string[]) => [{ Name: name, Values: [...values] }];
