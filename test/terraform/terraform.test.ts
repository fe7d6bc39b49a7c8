// The Terraform modules, without a provider: HCL that parses, arguments that the provider has, parameters that the template has.
import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { codeParameters } from '../../build/release/template.ts';
import { type Configuration, complaints, type Schema } from './schema.ts';

const root = join(import.meta.dirname, '..', '..');
// It has types for a bundler alone.
const hcl = createRequire(import.meta.url)('@cdktf/hcl2json') as {
  parse(file: string, text: string): Promise<Configuration>;
};
const schema = JSON.parse(readFileSync(join(import.meta.dirname, 'provider-schema.json'), 'utf8')) as Schema;

/** The files of a folder after one another are one configuration, as Terraform takes them. */
async function load(change: (file: string, text: string) => string = (_file, text) => text) {
  const texts = new Map<string, string>();
  for (const file of globSync('terraform/**/*.tf', { cwd: root }).sort()) {
    const text = change(file, readFileSync(join(root, file), 'utf8'));
    texts.set(dirname(file), `${texts.get(dirname(file)) ?? ''}\n${text}`);
  }
  const folders = [...texts].map(
    async ([folder, text]) => [folder, await hcl.parse(`${folder}.tf`, text)] as const,
  );
  return Object.fromEntries(await Promise.all(folders));
}

const yamlOf = (file: string, part: string): readonly string[] =>
  Object.keys(
    (
      parseYaml(readFileSync(join(root, 'resources', file), 'utf8'), { logLevel: 'error' }) as Record<
        string,
        object
      >
    )[part]!,
  );

let folders: Readonly<Record<string, Configuration>>;
beforeAll(async () => {
  folders = await load();
});

describe('the modules and examples', () => {
  it('are all there, and have no argument that the provider does not know, lack none, and describe all', () => {
    expect(Object.keys(folders).toSorted()).toEqual([
      'terraform',
      'terraform/examples/auto-scaling',
      'terraform/examples/pair',
      'terraform/modules/node',
      'terraform/modules/vip',
    ]);
    expect(schema.provider).toBe('hashicorp/aws/6.66.0');
    expect(complaints(folders, schema)).toEqual([]);
  });

  const edited = async (file: string, from: string, to: string) =>
    complaints(
      await load((path, text) => {
        if (path !== `terraform/${file}`) return text;
        expect(text).toContain(from);
        return text.replace(from, to);
      }),
      schema,
    );

  it.each([
    [
      'an unknown argument',
      'main.tf',
      '  on_failure   =',
      '  on_trouble   =',
      'terraform: aws_cloudformation_stack.vipshift has no argument on_trouble',
    ],
    [
      'one in a block',
      'examples/pair/main.tf',
      'http_tokens =',
      'http_token =',
      'terraform/examples/pair: aws_instance.node.metadata_options has no argument http_token',
    ],
    [
      'a missing required one',
      'modules/vip/main.tf',
      '  value       = var.label\n',
      '',
      'terraform/modules/vip: aws_ec2_tag.table lacks value',
    ],
    [
      'an argument that a module does not have',
      'examples/pair/main.tf',
      '  label           =',
      '  labels          =',
      'terraform/examples/pair: module.web has no argument labels',
    ],
    [
      'an undocumented parameter',
      'variables.tf',
      '  description = "Of both tables. They are kept when the stack goes, in either case."\n',
      '',
      'terraform: variable deletion_protection has no description',
    ],
  ])('%s is found', async (...[, file, from, to, complaint]) => {
    expect(await edited(file, from, to)).toContain(complaint);
  });
});

describe('the stack', () => {
  const parameters = () => folders.terraform!.locals![0]!.parameters as Readonly<Record<string, string>>;

  it('takes its template from the bucket: it is larger than CloudFormation takes with the call itself', () => {
    const { template_url: url, template_body: body } = folders.terraform!.resource!.aws_cloudformation_stack!
      .vipshift![0] as { template_url?: string; template_body?: string };
    expect(body).toBeUndefined();
    expect(url).toContain('aws_s3_object.release[local.template].key');
  });

  it('is given every parameter of the template, and no other', () => {
    const known = [...yamlOf('parameters.yml', 'Parameters'), ...Object.keys(codeParameters)];
    expect(Object.keys(parameters()).toSorted()).toEqual(known.toSorted());
  });

  it('passes each by a variable of its own, with its default', () => {
    const used = Object.values(parameters()).flatMap((value) => /var\.(\w+)/.exec(value)?.[1] ?? []);
    expect(new Set(used).size).toBe(Object.keys(parameters()).length - 1);
    for (const name of used) expect(folders.terraform!.variable).toHaveProperty(name);
  });

  it('gives out every output of the template', () => {
    const values = Object.values(folders.terraform!.output!).map(([body]) => String(body!.value));
    const given = values.flatMap((value) => /outputs\["(\w+)"\]/.exec(value)?.[1] ?? []);
    expect(given.toSorted()).toEqual(yamlOf('outputs.yml', 'Outputs').toSorted());
  });

  it('asks for a stage, the files, a bucket: the rest has a default', () => {
    const variables = Object.entries(folders.terraform!.variable!);
    expect(
      variables
        .filter(([, [body]]) => !('default' in body!))
        .map(([name]) => name)
        .toSorted(),
    ).toEqual(['code_bucket', 'release_folder', 'stage']);
  });
});
