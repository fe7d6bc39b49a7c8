// The registry as a file that is kept in git. Pure: the entries of a parsed document, or every place where it is wrong.
//
// A field that an entry leaves out has its default, not its present value in the registry: the file is the whole truth
// about the VIPs that it names, and says nothing about others.

import { defined } from '../optional.ts';
import type { Hold } from '../vip/vip.ts';

export interface FileEntry {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly pool?: string;
  readonly eips: readonly string[];
  readonly vpc?: string;
  readonly tableLabels: readonly string[];
  readonly nodeLabels: readonly string[];
  readonly hold: Hold;
  readonly priority: 'first' | 'normal';
  readonly allowPublic: boolean;
}

export type FileRead =
  | { readonly ok: true; readonly entries: readonly FileEntry[] }
  | { readonly ok: false; readonly problems: readonly string[] };

const fields = [
  'addresses',
  'pool',
  'eips',
  'vpc',
  'tableLabels',
  'nodeLabels',
  'hold',
  'priority',
  'allowPublic',
];

export function manifestFrom(document: unknown): FileRead {
  const problems: string[] = [];
  if (!isMap(document) || !isMap(document.vips))
    return { ok: false, problems: ['expected a mapping "vips:" of names to entries'] };
  for (const key of Object.keys(document))
    if (key !== 'vips') problems.push(`${key}: not a key, expected "vips" only`);
  const entries = Object.entries(document.vips).map(([name, entry]) => entryFrom(name, entry, problems));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, entries };
}

function entryFrom(name: string, found: unknown, problems: string[]): FileEntry {
  const entry = isMap(found) ? found : {};
  if (!isMap(found)) problems.push(`vips.${name}: expected a mapping, found ${show(found)}`);
  for (const key of Object.keys(entry))
    if (!fields.includes(key)) problems.push(`vips.${name}.${key}: not a key, expected ${fields.join(', ')}`);
  const wrong = (key: string, wanted: string) =>
    problems.push(`vips.${name}.${key}: found ${show(entry[key])}, expected ${wanted}`);
  const texts = (key: string, without: readonly string[]): readonly string[] => {
    const value = entry[key];
    if (value === undefined) return without;
    if (Array.isArray(value) && value.every((v) => typeof v === 'string')) return value;
    wrong(key, 'a list of texts');
    return without;
  };
  const text = (key: string): string | undefined => {
    const value = entry[key];
    if (value !== undefined && typeof value !== 'string') wrong(key, 'a text');
    return typeof value === 'string' ? value : undefined;
  };
  const hold = entry.hold ?? 'both';
  if (hold !== 'both' && hold !== 'master') wrong('hold', '"both" or "master"');
  const priority = entry.priority ?? 'normal';
  if (priority !== 'first' && priority !== 'normal') wrong('priority', '"first" or "normal"');
  if (entry.allowPublic !== undefined && typeof entry.allowPublic !== 'boolean')
    wrong('allowPublic', 'true or false');
  const [vpc, pool] = [text('vpc'), text('pool')];
  return {
    name,
    addresses: texts('addresses', []),
    eips: texts('eips', []),
    ...defined({ vpc, pool }),
    tableLabels: texts('tableLabels', [name]),
    nodeLabels: texts('nodeLabels', [name]),
    hold: hold as Hold,
    priority: priority as FileEntry['priority'],
    allowPublic: entry.allowPublic === true,
  };
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const SHOWN_MAX = 200;

/** A value as it may be read; an alias of YAML may make it contain itself. */
function show(value: unknown): string {
  try {
    const text = JSON.stringify(value) ?? 'nothing';
    return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
  } catch {
    return 'something that contains itself';
  }
}
