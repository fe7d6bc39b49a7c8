// A CloudFormation template, as far as the tests look into it.
export interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape differs with the type, and a wrong one fails the test
  readonly Properties: any;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Parameters: Readonly<
    Record<string, { readonly Default: string; readonly AllowedPattern?: string }>
  >;
  readonly Conditions: Readonly<Record<string, unknown>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}

export interface Statement {
  readonly Effect: string;
  readonly Action: string;
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export function statements(template: Template, role: string): readonly Statement[] {
  const policies = template.Resources[role]!.Properties.Policies as {
    PolicyDocument: { Statement: Statement[] };
  }[];
  return policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}
