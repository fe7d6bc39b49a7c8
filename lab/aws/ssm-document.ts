/**
 * An SSM document of type Command as an instance's agent takes it: parameters checked, and its one shell step as a script.
 *
 * Limit: schema 2.2 with one step aws:runShellScript and parameters of type String, which is what ours has; anything else is refused.
 */
export interface SsmDocument {
  readonly schemaVersion: string;
  readonly parameters: Readonly<Record<string, SsmParameter>>;
  readonly mainSteps: readonly {
    readonly action: string;
    readonly inputs: { readonly runCommand: readonly string[] };
  }[];
}

interface SsmParameter {
  readonly type: string;
  readonly allowedPattern?: string;
  readonly allowedValues?: readonly string[];
}

/** What SendCommand gives: each parameter is a list, of one value for a String. */
export type Given = Readonly<Record<string, readonly string[]>>;

/** Throws an Error that names the parameter; SSM answers InvalidParameters then. */
export function scriptOf(document: SsmDocument, given: Given): string {
  const [step, ...more] = document.mainSteps;
  if (document.schemaVersion !== '2.2' || step?.action !== 'aws:runShellScript' || more.length > 0)
    throw new Error('expected a document of schema 2.2 with one step aws:runShellScript');
  const unknown = Object.keys(given).find((name) => !(name in document.parameters));
  if (unknown !== undefined) throw new Error(`the document has no parameter ${unknown}`);
  const values = Object.fromEntries(
    Object.entries(document.parameters).map(([name, parameter]) => [
      name,
      checked(name, parameter, given[name]),
    ]),
  );
  const lines = step.inputs.runCommand.map((line) =>
    line.replace(/\{\{ *(\w+) *\}\}/g, (whole, name: string) => values[name] ?? whole),
  );
  return `${lines.join('\n')}\n`;
}

function checked(name: string, parameter: SsmParameter, found: readonly string[] | undefined): string {
  const [value, ...more] = found ?? [];
  if (parameter.type !== 'String' || value === undefined || more.length > 0)
    throw new Error(`${name} is ${JSON.stringify(found)}, expected one String`);
  const { allowedPattern, allowedValues } = parameter;
  if (allowedPattern !== undefined && !new RegExp(allowedPattern).test(value))
    throw new Error(`${name} is ${JSON.stringify(value)}, expected ${allowedPattern}`);
  if (allowedValues !== undefined && !allowedValues.includes(value))
    throw new Error(`${name} is ${JSON.stringify(value)}, expected one of ${allowedValues.join(', ')}`);
  return value;
}
