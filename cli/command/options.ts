// Options: those that every command understands, before its name or behind it, and how a command states its own.
import type { EventEmitter } from 'node:events';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { reasonProblem } from '../../shared/bounded.ts';
import { onlyWith } from './contradictions.ts';

export interface CommonOptions {
  readonly stage?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly json?: boolean;
  readonly wide?: boolean;
  /** False with --no-color. */
  readonly color?: boolean;
}
export type CommonName = keyof CommonOptions;
export const commonNames: readonly CommonName[] = ['stage', 'region', 'profile', 'json', 'wide', 'color'];

const STAGE = /^[A-Za-z][A-Za-z0-9-]{0,31}$/;

export function commonOptions(): readonly Option[] {
  const group = 'Common options:';
  return [
    option(
      '--stage <name>',
      'the deployment (default: dev; tables vipshift-<stage>-vips and -timeline, or VIPSHIFT_VIPS_TABLE, VIPSHIFT_TIMELINE_TABLE)',
      { group, env: 'VIPSHIFT_STAGE', parse: stageFrom, is: 'stage' },
    ),
    option('--region <region>', 'as the AWS CLI takes it (AWS_REGION, AWS_DEFAULT_REGION, the profile)', {
      group,
    }),
    option('--profile <name>', 'as the AWS CLI takes it (AWS_PROFILE)', { group, is: 'profile' }),
    option('--no-color', 'no colours, also with NO_COLOR or when not on a terminal', { group }),
    option('--json', 'one JSON document, or one per line (docs/output.md)', { group }),
    option('--wide', 'tables as wide as their cells, not fitted to the terminal', { group }),
  ];
}

function stageFrom(text: string): string {
  if (STAGE.test(text)) return text;
  throw new InvalidArgumentError('expected a letter, then letters, digits and "-".');
}

const required = new WeakSet<Option>();
/** Commander would name only the first one that is missing. */
export const isRequired = (option: Option): boolean => required.has(option);

export interface OptionSpec<Value> {
  /** From the text, and from the value so far where the option may be repeated. */
  readonly parse?: (text: string, before: Value) => Value;
  readonly choices?: readonly string[];
  readonly default?: string | number;
  readonly env?: string;
  /** Without it the command is refused. */
  readonly mandatory?: true;
  /** Options that exclude it, by their attributes. */
  readonly conflicts?: readonly string[];
  /** The attribute of the option without which it does nothing. */
  readonly onlyWith?: string;
  /** Its heading in the help. */
  readonly group?: string;
  /** What completion offers for its value. */
  readonly is?: ValueKind;
  /** The same, where the words are known and others are understood, too. */
  readonly offers?: readonly string[];
}

/** What a value names, where completion can look it up. */
export type ValueKind = 'vip' | 'node' | 'stage' | 'profile' | 'execution' | 'record' | 'file' | 'folder';

const kinds = new WeakMap<Option, ValueKind>();
const words = new WeakMap<Option, readonly string[]>();
export const optionIs = (option: Option): ValueKind | undefined => kinds.get(option);
export const offeredFor = (option: Option): readonly string[] => words.get(option) ?? option.argChoices ?? [];

export function option<Value>(flags: string, about: string, spec: OptionSpec<Value> = {}): Option {
  const made = new Option(flags, spec.mandatory === true ? `${about} (required)` : about);
  if (spec.parse !== undefined) made.argParser(spec.parse);
  if (spec.choices !== undefined) made.choices(spec.choices);
  if (spec.default !== undefined) made.default(spec.default);
  if (spec.env !== undefined) made.env(spec.env);
  if (spec.conflicts !== undefined) made.conflicts([...spec.conflicts]);
  if (spec.group !== undefined) made.helpGroup(spec.group);
  if (spec.onlyWith !== undefined) onlyWith(made, spec.onlyWith);
  if (spec.mandatory === true) required.add(made);
  if (spec.is !== undefined) kinds.set(made, spec.is);
  if (spec.offers !== undefined) words.set(made, spec.offers);
  return made;
}

/** Makes `was` do what `now` does, without a line in the help. Both begin with `--`. */
export function formerOption(command: Command, was: string, now: string): void {
  const current = command.options.find((o) => o.long === now);
  if (current === undefined) throw new Error(`no option ${now} for its former spelling ${was}`);
  const hidden = new Option(current.flags.replace(/^.*--[\w-]+/, was), current.description).hideHelp();
  command.addOption(hidden);
  // commander's types leave out that a command emits its options.
  const options = command as unknown as EventEmitter;
  options.on(`option:${hidden.name()}`, (text) => options.emit(`option:${current.name()}`, text));
}

export const reason = (more: Pick<OptionSpec<string>, 'mandatory'> = {}): Option =>
  option<string>('--reason <text>', 'why, for the record', { ...more, parse: reasonFrom });

function reasonFrom(text: string): string {
  const problem = reasonProblem(text);
  if (problem === undefined) return text;
  throw new InvalidArgumentError(`${problem}.`);
}

/** For options that may be given several times, and that take several values separated by commas. `false` before it is a negation, refused later. */
export const list = (text: string, before: readonly string[] | false | undefined): readonly string[] => [
  ...(before || []),
  ...text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
];

export function positive(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`expected a whole number from 1 to ${max}.`);
  };
}
