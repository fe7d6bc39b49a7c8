// The configuration of one node: what keepalived makes of the file that it is given and of all that this one includes.
import type { Statement } from '../grammar/blocks.ts';
import type { Place } from '../grammar/definitions.ts';
import type { Remark } from '../grammar/reader.ts';
import { type Globals, globalsOf } from './globals.ts';
import { type Instance, instanceOf, isUnicast, scriptsIn, trackedIn } from './instance.ts';
import { blocks as blockWords, inSyncGroup, topLevel } from './keywords.ts';
import {
  type Complaint,
  type Notes,
  noteUnread,
  type Scope,
  statementsOf,
  type Unread,
} from './statements.ts';
import { type TrackedFile, trackedFilesIn } from './tracked-files.ts';

/** Statements of a file, and how it is called in findings. */
export interface Source {
  /** The file as it was given, and the host that it was read for. */
  readonly name: string;
  readonly path: string;
  readonly host: string | undefined;
  readonly statements: readonly Statement[];
  readonly refused: readonly Remark[];
}

export interface Configuration {
  readonly name: string;
  /** Its first file begins here. */
  readonly start: Place;
  /** Something may hide whole blocks: what is not there is not known. */
  readonly isPartial: boolean;
  /** Lines after which keepalived takes braces otherwise than they are meant: nothing here is judged. */
  readonly isTorn: boolean;
  readonly globals: Globals;
  readonly instances: readonly Instance[];
  readonly groups: readonly SyncGroup[];
  readonly complaints: readonly Complaint[];
  readonly unread: readonly Unread[];
}

export interface SyncGroup {
  readonly name: string;
  readonly members: readonly string[];
  readonly tracked: readonly string[];
  readonly trackedFiles: readonly TrackedFile[];
  readonly scripts: readonly Statement[];
}

export function configurationOf(source: Source): Configuration {
  const torn = source.statements.flatMap(tornIn);
  if (torn.length === 0) return wholeConfiguration(source, false);
  const nothing = wholeConfiguration({ ...source, statements: [], refused: [] }, true);
  return {
    ...nothing,
    isPartial: true,
    unread: torn.map(({ line }) => ({ at: line.at, text: line.text, why: 'words' })),
  };
}

const tornIn = (statement: Statement): readonly Statement[] => [
  ...(statement.line.isTorn ? [statement] : []),
  ...(statement.block ?? []).flatMap(tornIn),
];

function wholeConfiguration({ name, path, statements, refused }: Source, isTorn: boolean): Configuration {
  const notes: Notes = { complaints: refused.map((one) => ({ ...one })), unread: [] };
  const isPartial = noteUnread(statements, topLevel, notes) || refused.length > 0;
  const top: Scope = { block: statements, isPartial, notes, name };
  complainOfOpenBlocks(statements, notes);
  const globals = globalsOf(top);
  const instances = instancesOf(top, globals);
  const groups = groupsOf(top, instances);
  complainOfTwins(instances, notes);
  if (!globals.isScriptSecure) complainOfScripts(top, groups, instances);
  return {
    name,
    start: { file: path, line: 0 },
    isPartial,
    isTorn,
    globals,
    instances,
    groups,
    complaints: notes.complaints,
    unread: notes.unread,
  };
}

function instancesOf(top: Scope, globals: Globals): readonly Instance[] {
  const found = new Map<string, Instance>();
  for (const statement of statementsOf(top, 'vrrp_instance')) {
    const { words, line } = statement;
    const [, name] = words;
    const says =
      name === undefined || words.length !== 2
        ? 'vrrp_instance needs one name, and is left out'
        : found.has(name)
          ? `a second vrrp_instance ${name}, which is left out`
          : undefined;
    if (says !== undefined) top.notes.complaints.push({ at: line.at, says });
    else found.set(name!, tracking(top, statement, instanceOf(statement, globals, top.notes)));
  }
  return [...found.values()];
}

/** What may be tracked, by the word that tracks it; keepalived wants it to be there before. */
const DEFINED_BY: Readonly<Record<string, readonly string[]>> = {
  track_file: ['track_file', 'vrrp_track_file'],
  track_script: ['vrrp_script'],
  track_process: ['vrrp_track_process'],
};

/** The instance, without what it tracks and what is not there. */
function tracking(top: Scope, statement: Statement, instance: Instance): Instance {
  const before = top.block.slice(0, top.block.indexOf(statement));
  const missing = new Set<string>();
  for (const [word, definers] of Object.entries(DEFINED_BY)) {
    const defined = before.filter(({ words }) => definers.includes(words[0]!)).map(({ words }) => words[1]);
    for (const { words, line } of statementsIn(statement, word)) {
      if (defined.includes(words[0]) || top.isPartial) continue;
      missing.add(words[0]!);
      top.notes.complaints.push({
        at: line.at,
        line,
        says: `${instance.name}: nothing before it defines the ${word} ${words[0]}, which is left out`,
      });
    }
  }
  return {
    ...instance,
    tracked: instance.tracked.filter((name) => !missing.has(name)),
    trackedFiles: trackedFilesIn(statement.block ?? [], before),
  };
}

const statementsIn = ({ block }: Statement, word: string): readonly Statement[] =>
  (block ?? []).filter(({ words }) => words[0] === word).flatMap((one) => one.block ?? []);

function groupsOf(top: Scope, instances: readonly Instance[]): readonly SyncGroup[] {
  return statementsOf(top, 'vrrp_sync_group').map((statement) => {
    const { block = [], words, line } = statement;
    noteUnread(block, inSyncGroup, top.notes);
    const name = words[1] ?? '';
    const named = statementsIn(statement, 'group').flatMap((one) => one.words);
    const members = named.filter((member) => instances.some((one) => one.name === member));
    const complain = (says: string) =>
      top.notes.complaints.push({ at: line.at, says: `vrrp_sync_group ${name}: ${says}`, isHarmless: true });
    if (!top.isPartial) {
      for (const member of named)
        if (!members.includes(member)) complain(`there is no vrrp_instance ${member}`);
      if (members.length < 2) complain(`it has ${members.length} of at least 2 instances`);
    }
    return {
      ...{ name, members, tracked: trackedIn(block, top.notes), scripts: scriptsIn(block) },
      trackedFiles: trackedFilesIn(block, top.block),
    };
  });
}

function complainOfOpenBlocks(statements: readonly Statement[], { complaints }: Notes): void {
  for (const { words, block, line } of statements) {
    if (block !== undefined)
      complainOfOpenBlocks(block.filter(isInside(words[0]!)), { complaints, unread: [] });
    else if (blockWords.has(words[0]!))
      complaints.push({ at: line.at, line, says: `no { follows ${words[0]}` });
  }
}

/** Only where the words inside are keepalived's own. */
const isInside = (word: string) => (): boolean => word === 'vrrp_instance' || word === 'global_defs';

/** One socket cannot tell two multicast instances of one router id from each other. */
function complainOfTwins(instances: readonly Instance[], { complaints }: Notes): void {
  for (const [n, one] of instances.entries()) {
    const twin = instances.slice(0, n).find((other) => areTwins(one, other));
    if (twin !== undefined)
      complaints.push({
        at: one.span.head.at,
        says: `${one.name}: virtual_router_id ${one.routerId.value} on ${one.interface.value}, as ${twin.name} has`,
      });
  }
}

function areTwins(one: Instance, other: Instance): boolean {
  if (one.routerId.value === undefined || one.routerId.value !== other.routerId.value) return false;
  if (one.interface.value !== other.interface.value || one.family !== other.family) return false;
  if (isUnicast(one) !== isUnicast(other)) return false;
  if (!isUnicast(one)) return one.group.value === other.group.value;
  return one.peers.listed.some(({ address }) => other.peers.listed.some((peer) => peer.address === address));
}

function complainOfScripts(top: Scope, groups: readonly SyncGroup[], instances: readonly Instance[]): void {
  const scripts = [...instances, ...groups].flatMap((one) => one.scripts);
  const checks = statementsOf(top, 'vrrp_script');
  const tracked = [...instances, ...groups].flatMap((one) => one.tracked);
  const used = scripts[0] ?? checks.find(({ words }) => tracked.includes(words[1] ?? ''));
  if (used !== undefined)
    top.notes.complaints.push({
      at: used.line.at,
      says: 'a script without enable_script_security in global_defs',
      isHarmless: true,
    });
}
