// Every document that a test's --json gets is held against the schema of its command, whatever the test is about.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import type { Command } from 'commander';
import { type JsonShape, jsonOf } from '../../../cli/command/command.ts';
import { program } from '../../../cli/program.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'docs', 'schemas');
export const schemaNames = readdirSync(folder).map((file) => file.replace(/\.schema\.json$/, ''));

const root = program();
let ajv: Ajv2020.Ajv2020 | undefined;

function validator(schema: string) {
  if (ajv === undefined) {
    ajv = new Ajv2020.Ajv2020({ allErrors: true, allowUnionTypes: true });
    for (const name of schemaNames)
      ajv.addSchema(JSON.parse(readFileSync(join(folder, `${name}.schema.json`), 'utf8')) as object);
  }
  const validate = ajv.getSchema(`https://vipshift.example/schemas/${schema}.schema.json`);
  if (validate === undefined) throw new Error(`docs/schemas has no ${schema}.schema.json`);
  return validate;
}

/** The command that a command line runs. */
export function commandOf(args: readonly string[]): Command {
  let at = root;
  for (const word of args) {
    const next = at.commands.find((c) => c.name() === word || c.aliases().includes(word));
    if (next !== undefined) at = next;
    if (at.commands.length === 0) break;
  }
  return at;
}

/** What is wrong with the output of a command line with --json; empty where nothing is, or where there is no --json. */
export function shapeProblems(args: readonly string[], stdout: string): readonly string[] {
  if (!args.includes('--json') || args.includes('--help')) return [];
  const shape = jsonOf(commandOf(args));
  if (shape === undefined) return [];
  return problemsOf(shape, stdout);
}

function problemsOf({ is, schema }: JsonShape, stdout: string): readonly string[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  const validate = validator(schema);
  const problems = lines.flatMap((line) => {
    let document: unknown;
    try {
      document = JSON.parse(line);
    } catch {
      return [`no JSON: ${line.slice(0, 200)}`];
    }
    if (validate(document)) return [];
    const errors = (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
    return [`${line.slice(0, 300)}\n  ${errors.join('\n  ')}`];
  });
  return is === 'document' && lines.length > 1
    ? [...problems, `${lines.length} documents, expected one`]
    : problems;
}
