/**
 * The template of a release: what osls packages, for any stage and any bucket. `npm run deploy` deploys the same; only where the functions'
 * code is, and the bucket that osls keeps it in, are different (test/release/template.test.ts).
 *
 * Invariant: it names no stage, Region or account.
 */
import { VERSION } from '../../shared/version.ts';

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

interface Resource {
  readonly Type: string;
  readonly Properties?: { readonly [key: string]: Json };
}

export interface Template {
  readonly Description: string;
  readonly Parameters: Readonly<Record<string, { readonly [key: string]: Json }>>;
  readonly Rules?: Readonly<Record<string, Json>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, Json>>;
}

/** Stands for any stage while osls packages. */
export const PACKAGED_STAGE = 'any-stage';

/** CloudFormation takes a template of this size from a bucket, in bytes; of INLINE_MAX with the call itself. */
export const TEMPLATE_MAX = 1_000_000;
export const INLINE_MAX = 51_200;

export const zipName = (functionName: string): string => `${functionName}-${VERSION}.zip`;

export const codeParameters = {
  CodeBucket: {
    Type: 'String',
    AllowedPattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$',
    Description: 'The bucket, in the Region of the stack, that holds the zips of the functions',
  },
  CodePrefix: {
    Type: 'String',
    Default: `vipshift/${VERSION}/`,
    AllowedPattern: '^$|^[^/].*/$',
    Description: 'The folder of the zips in that bucket, with its last slash; empty for none',
  },
} as const;

/** As build/template-check.ts refuses it before a deployment: the functions would not start, and the bus would have no policy. */
const rules = {
  NodeRoleIsNamed: {
    RuleCondition: { 'Fn::Equals': [{ Ref: 'NodeIdentity' }, 'source'] },
    Assertions: ['NodeRoleId', 'NodeRoleArn'].map((name) => ({
      Assert: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: name }, ''] }] },
      AssertDescription: `NodeIdentity is source, so ${name} must name the role of the nodes`,
    })),
  },
};

export function releasedTemplate(packaged: string): Template {
  const { Parameters, Resources, Outputs, ...others } = JSON.parse(packaged) as Template;
  const { Default: _packaged, ...Stage } = Parameters.Stage!;
  const resources = Object.entries(Resources)
    .filter(([id]) => !isOfOsls(id))
    .map(([id, resource]) => [id, withCode(resource)]);
  const template: Template = {
    ...others,
    Parameters: { Stage, ...codeParameters, ...without(Parameters, 'Stage') },
    Rules: rules,
    Resources: Object.fromEntries(resources),
    Outputs: Object.fromEntries(Object.entries(Outputs).filter(([name]) => !isOfOsls(name))),
  };
  const text = JSON.stringify(template);
  if (text.includes(PACKAGED_STAGE)) throw new Error(`the template names the stage ${PACKAGED_STAGE}`);
  return template;
}

/** The bucket for the code, its policy and its name. */
const isOfOsls = (id: string): boolean => id.startsWith('ServerlessDeploymentBucket');

function withCode(resource: Resource): Resource {
  if (resource.Type !== 'AWS::Lambda::Function') return resource;
  const { Code: packaged, ...others } = resource.Properties ?? {};
  const { S3Key = '' } = (packaged ?? {}) as { readonly S3Key?: string };
  const [, name = ''] = /([^/]+)\.zip$/.exec(S3Key) ?? [];
  const Code = { S3Bucket: { Ref: 'CodeBucket' }, S3Key: { 'Fn::Sub': `\${CodePrefix}${zipName(name)}` } };
  return { ...resource, Properties: { ...others, Code } };
}

const without = <T>(all: Readonly<Record<string, T>>, name: string): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([key]) => key !== name));
