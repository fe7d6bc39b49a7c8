// What the provider takes, and what of the configuration is not like that.
import { join, normalize } from 'node:path';

export interface Block {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly blocks: Readonly<Record<string, Block>>;
}

export interface Schema {
  readonly provider: string;
  readonly resources: Readonly<Record<string, Block>>;
  readonly data: Readonly<Record<string, Block>>;
}

type Body = Readonly<Record<string, unknown>>;
type Named = Readonly<Record<string, readonly Body[]>>;

/** The files of one folder as one document; a block is a list of bodies. */
export interface Configuration {
  readonly resource?: Readonly<Record<string, Named>>;
  readonly data?: Readonly<Record<string, Named>>;
  readonly variable?: Named;
  readonly output?: Named;
  readonly module?: Named;
  readonly locals?: readonly Body[];
}

/** Terraform's own, of any resource and module. */
const meta = ['count', 'depends_on', 'for_each', 'lifecycle', 'provider', 'providers', 'source', 'version'];

/** Of all folders, by their paths. */
export function complaints(
  folders: Readonly<Record<string, Configuration>>,
  schema: Schema,
): readonly string[] {
  return Object.entries(folders).flatMap(([folder, configuration]) => [
    ...resourceComplaints(folder, configuration.resource, schema.resources),
    ...resourceComplaints(folder, configuration.data, schema.data),
    ...moduleComplaints(folder, configuration.module ?? {}, folders),
    ...describedComplaints(folder, 'variable', configuration.variable ?? {}),
    ...describedComplaints(folder, 'output', configuration.output ?? {}),
  ]);
}

function resourceComplaints(
  folder: string,
  resources: Configuration['resource'] = {},
  known: Readonly<Record<string, Block>>,
): readonly string[] {
  return Object.entries(resources).flatMap(([type, named]) =>
    Object.entries(named).flatMap(([name, bodies]) => {
      const block = known[type];
      const where = `${folder}: ${type}.${name}`;
      if (block === undefined) return [`${where} is of a type that the extract does not have`];
      return bodies.flatMap((body) => bodyComplaints(where, body, block));
    }),
  );
}

function bodyComplaints(where: string, body: Body, block: Block): readonly string[] {
  const given = Object.keys(body).filter((name) => !meta.includes(name) || block.required.includes(name));
  const unknown = given.filter((name) => ![...block.required, ...block.optional, ...meta].includes(name));
  const missing = block.required.filter((name) => !given.includes(name));
  const inner = given.flatMap((name) => {
    const nested = block.blocks[name];
    const bodies = body[name];
    if (nested === undefined || !Array.isArray(bodies)) return [];
    return (bodies as readonly Body[]).flatMap((one) => bodyComplaints(`${where}.${name}`, one, nested));
  });
  return [
    ...unknown.map((name) => `${where} has no argument ${name}`),
    ...missing.map((name) => `${where} lacks ${name}`),
    ...inner,
  ];
}

function moduleComplaints(
  folder: string,
  modules: Named,
  folders: Readonly<Record<string, Configuration>>,
): readonly string[] {
  return Object.entries(modules).flatMap(([name, bodies]) =>
    bodies.flatMap((body) => {
      const where = `${folder}: module.${name}`;
      const variables = folders[normalize(join(folder, body.source as string))]?.variable;
      if (variables === undefined)
        return [`${where} has the source ${String(body.source)}, which is not here`];
      const given = Object.keys(body).filter((argument) => !meta.includes(argument));
      const required = Object.keys(variables).filter((one) => !('default' in variables[one]![0]!));
      return [
        ...given
          .filter((one) => variables[one] === undefined)
          .map((one) => `${where} has no argument ${one}`),
        ...required.filter((one) => !given.includes(one)).map((one) => `${where} lacks ${one}`),
      ];
    }),
  );
}

const describedComplaints = (folder: string, kind: string, all: Named): readonly string[] =>
  Object.entries(all).flatMap(([name, [body]]) =>
    typeof body?.description === 'string' && body.description.length > 5
      ? []
      : [`${folder}: ${kind} ${name} has no description`],
  );
