// serverless.yml as `serverless package` makes it: without credentials, and with an endpoint where no one listens, so that a
// call to AWS would fail the packaging.
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { runOsls, withServiceFolder } from '../../../lab/aws/stack/serverless.ts';

const bin = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.bin');

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

/** The text of the template of a stage. */
export function packaged(stage: string, params: Readonly<Record<string, string>> = {}): Promise<string> {
  return withServiceFolder({}, async (folder) => {
    const given = Object.entries(params).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
    await runOsls(['package', '--stage', stage, ...given], folder, {
      PATH: [bin, process.env.PATH].join(delimiter),
      HOME: folder,
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      HTTPS_PROXY: 'http://127.0.0.1:9',
    });
    return readFile(join(folder, '.serverless', 'cloudformation-template-update-stack.json'), 'utf8');
  });
}

export function statements(template: Template, role: string): readonly Statement[] {
  const policies = template.Resources[role]!.Properties.Policies as {
    PolicyDocument: { Statement: Statement[] };
  }[];
  return policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}
