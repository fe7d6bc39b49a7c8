// Writes provider-schema.json: the arguments of the resource types that terraform/ uses, out of the unpacked package @cdktn/provider-aws.
//
//   npm pack @cdktn/provider-aws@25.7.0 && tar -xzf cdktn-provider-aws-*.tgz && node test/terraform/extract-schema.ts package
//
// The package (MPL-2.0) has bindings that are made of the provider's own schema; of it only names are kept, and which of them are required.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Block, Schema } from './schema.ts';

const resources = [
  ...['aws_s3_object', 'aws_cloudformation_stack', 'aws_ec2_tag'],
  ...['aws_iam_role', 'aws_iam_instance_profile', 'aws_iam_role_policy_attachment'],
  ...['aws_instance', 'aws_network_interface', 'aws_launch_template', 'aws_autoscaling_group'],
];
const data = ['aws_s3_bucket', 'aws_service_principal'];

const [home] = process.argv.slice(2);
if (home === undefined) throw new Error('want: node test/terraform/extract-schema.ts FOLDER_OF_THE_PACKAGE');

const folderOf = (type: string): string => type.replace('aws_', '').replaceAll('_', '-');
const pascal = (type: string): string =>
  type
    .replace('aws_', '')
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

function blockOf(text: string, name: string): Block {
  const body = new RegExp(`export interface ${name} (?:extends [\\w.]+ )?\\{\\n([\\s\\S]*?)\\n\\}`).exec(
    text,
  )?.[1];
  if (body === undefined) throw new Error(`there is no interface ${name}`);
  const fields = body.matchAll(/#(\w+) \w+#\w+\}[\s\S]*?readonly (\w+)(\??): ([^;]*);/g);
  const block: { required: string[]; optional: string[]; blocks: Record<string, Block> } = {
    ...{ required: [], optional: [], blocks: {} },
  };
  for (const [, argument, , mark, type] of fields) {
    (mark === '?' ? block.optional : block.required).push(argument!);
    const nested = /^(\w+)(?:\[\])?(?: \| cdktn\.IResolvable)?$/.exec(type!)?.[1];
    if (nested !== undefined && text.includes(`export interface ${nested} {`))
      block.blocks[argument!] = blockOf(text, nested);
  }
  return { required: block.required.toSorted(), optional: block.optional.toSorted(), blocks: block.blocks };
}

const read = (folder: string): string => readFileSync(join(home, 'lib', folder, 'index.d.ts'), 'utf8');
const schema: Schema = {
  provider: /providers\/(hashicorp\/aws\/[\d.]+)\//.exec(read('s3-object'))![1]!,
  resources: Object.fromEntries(
    resources.map((type) => [type, blockOf(read(folderOf(type)), `${pascal(type)}Config`)]),
  ),
  data: Object.fromEntries(
    data.map((type) => [type, blockOf(read(`data-aws-${folderOf(type)}`), `DataAws${pascal(type)}Config`)]),
  ),
};
writeFileSync(join(import.meta.dirname, 'provider-schema.json'), `${JSON.stringify(schema)}\n`);
