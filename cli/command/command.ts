// A command as data, and what every command does around its work: takes its arguments and options, opens the session,
// runs, and turns its end into an exit status.
//
// Invariant: what a command line alone can be wrong about is said before the work is loaded; help, completion and wrong
// arguments load no AWS client. A test installs the package without the SDK to see to it.
import { Argument, Command, Help, type Option } from 'commander';
import { refuseContradictions } from './contradictions.ts';
import { CliError, type Status, status } from './exit.ts';
import { at, DEFAULT_STAGE, placeOf } from './hint.ts';
import {
  type CommonName,
  type CommonOptions,
  commonNames,
  commonOptions,
  formerOption,
  isRequired,
  type ValueKind,
} from './options.ts';
import { type Output, output } from './output.ts';
import type { Session } from './session.ts';

/** The command line. */
export interface ParsedArgs<Options> {
  readonly args: readonly string[];
  readonly options: Options & CommonOptions;
}

export interface CommandContext<Options> extends ParsedArgs<Options> {
  readonly out: Output;
  readonly session: Session;
}

export type CommandAction<Options> = (run: CommandContext<Options>) => Promise<Status> | Promise<void>;

interface Words {
  readonly name: string;
  /** Another spelling, shown next to the name. */
  readonly alias?: string;
  /** Former names: understood, not shown. */
  readonly formerly?: readonly string[];
  readonly about: string;
  /** For programs: not in the help. */
  readonly hidden?: true;
}

export interface ArgumentSpec {
  /** `<required>`, `[optional]`, `[several...]`. */
  readonly name: string;
  readonly about?: string;
  readonly choices?: readonly string[];
  /** What completion offers for it. */
  readonly is?: ValueKind;
}

/** What --json prints: one document, or one in each line. `schema`: its file in docs/schemas, without the ending. */
export interface JsonShape {
  readonly is: 'document' | 'lines';
  readonly schema: string;
}

interface CommandWords extends Words {
  /** Absent where the command takes no --json. */
  readonly json?: JsonShape;
  readonly args?: readonly ArgumentSpec[];
  readonly options?: readonly Option[];
  /** Former spellings of options, such as `--old` of `--new`: understood, not shown. */
  readonly formerOptions?: Readonly<Record<string, string>>;
  /** Of the help, before the examples. */
  readonly notes?: string;
  readonly examples: readonly string[];
  /** Of the help, after the examples. */
  readonly more?: string;
}

interface CommandSpec<Options> extends CommandWords {
  /** Loads the work. May refuse the command line before it does. */
  readonly load: (line: ParsedArgs<Options>) => Promise<CommandAction<Options>>;
}

/** A command that makes no request. */
interface OfflineSpec<Options> extends CommandWords {
  /** The common options that mean something to it. */
  readonly common: readonly CommonName[];
  readonly run: (
    run: ParsedArgs<Options> & { readonly out: Output; readonly self: Command },
  ) => Promise<void>;
}

const completed = new WeakMap<Argument, ArgumentSpec['is']>();
/** What an argument is, where completion can offer something for it. */
export const argumentIs = (argument: Argument): ArgumentSpec['is'] => completed.get(argument);

const shapes = new WeakMap<Command, JsonShape>();
export const jsonOf = (command: Command): JsonShape | undefined => shapes.get(command);

const accepted = new WeakMap<Command, readonly CommonName[]>();
/** The common options that a command understands, on either side of its name. */
export const commonOf = (command: Command): readonly Option[] => {
  const names = accepted.get(command) ?? commonNames;
  return rootOf(command).options.filter((o) => names.includes(o.attributeName() as CommonName));
};

export function defineCommand<Options>(spec: CommandSpec<Options>): Command {
  return described(spec).action((...given: unknown[]) => {
    const line = lineOf<Options>(given.at(-1) as Command);
    return at(placeOf(line.options), async () => {
      const work = await spec.load(line);
      const out = output(line.options);
      if (line.options.stage === undefined)
        out.note(`stage ${DEFAULT_STAGE}: none is named (--stage, VIPSHIFT_STAGE)`);
      const { openSession } = await import('./session.ts');
      const session = await openSession(line.options);
      try {
        process.exitCode = (await work({ ...line, out, session })) ?? status.ok;
      } catch (error) {
        throw await withNodeNames(error, session);
      }
    });
  });
}

/** What went wrong, with the nodes' names; AWS that did not answer just now is not asked for them. */
async function withNodeNames(error: unknown, { names }: Session): Promise<unknown> {
  if (!(error instanceof CliError) || error.status === status.aws) return error;
  const lines = await Promise.all(error.message.split('\n').map((line) => names.textOf(line)));
  const message = lines.join('\n');
  return message === error.message ? error : new CliError(message, error.next, error.status, error);
}

export function defineOfflineCommand<Options>(spec: OfflineSpec<Options>): Command {
  const command = described(spec).action(async (...given: unknown[]) => {
    const self = given.at(-1) as Command;
    const line = lineOf<Options>(self);
    await spec.run({ ...line, out: output(line.options), self });
  });
  accepted.set(command, spec.common);
  return command;
}

/** Commands under one name. */
export const defineGroup = (words: Words, commands: readonly Command[]): Command => named(words, commands);

/** The root: its commands, and the habits that all have. */
export function defineProgram(
  words: Words & { readonly version: string; readonly help: string },
  commands: readonly Command[],
): Command {
  const root = named(words, commands)
    .version(words.version, '-V, --version', 'print the version')
    .addHelpText('after', words.help);
  for (const option of commonOptions()) root.addOption(option);
  for (const command of everyCommand(root)) habits(command);
  return root;
}

export const everyCommand = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap(everyCommand),
];

const formerNames = new WeakMap<Command, readonly string[]>();

const hidden = new WeakSet<Command>();
export const isHidden = (command: Command): boolean => hidden.has(command);

function named(words: Words, commands: readonly Command[]): Command {
  const { name, alias, formerly = [], about } = words;
  const command = new Command(name).description(about);
  if (alias !== undefined) command.alias(alias);
  for (const former of formerly) command.alias(former);
  formerNames.set(command, formerly);
  if (words.hidden === true) hidden.add(command);
  for (const one of commands) command.addCommand(one, { hidden: isHidden(one) });
  return command;
}

function described(spec: CommandWords): Command {
  const { args = [], options = [], formerOptions = {}, examples } = spec;
  const command = named(spec, []);
  for (const { name, about, choices, is } of args) {
    const argument = new Argument(name, about);
    if (choices !== undefined) argument.choices(choices);
    if (is !== undefined) completed.set(argument, is);
    command.addArgument(argument);
  }
  for (const option of options) command.addOption(option);
  for (const [was, now] of Object.entries(formerOptions)) formerOption(command, was, now);
  const heading = examples.length === 1 ? 'Example:' : 'Examples:';
  const shown = [heading, ...examples.map((example) => `  $ ${example}`)].join('\n');
  if (spec.json !== undefined) shapes.set(command, spec.json);
  const json = spec.json === undefined ? undefined : jsonText(spec.json);
  const parts = [spec.notes, shown, spec.more, json].filter((part) => part !== undefined);
  return command.addHelpText('after', `\n${parts.join('\n\n')}`);
}

const jsonText = ({ is, schema }: JsonShape): string =>
  `With --json: ${is === 'document' ? 'one document' : 'a document in each line'}, as docs/schemas/${schema}.schema.json says`;

function lineOf<Options>(self: Command): ParsedArgs<Options> {
  return {
    args: self.processedArgs.flat().filter((arg) => arg !== undefined) as string[],
    options: self.optsWithGlobals() as Options & CommonOptions,
  };
}

function habits(command: Command): void {
  const help = new Help();
  const shown = (of: Command, text: string): string =>
    (formerNames.get(of) ?? []).reduce((t, former) => t.replace(`${of.name()}|${former}`, of.name()), text);
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeErr: (text) => process.stderr.write(text.replace(/^error: /, 'vipshift: ')),
    })
    .configureHelp({
      visibleOptions: (of) => [...new Set([...help.visibleOptions(of), ...commonOf(of)])],
      subcommandTerm: (of) => shown(of, help.subcommandTerm(of)),
      commandUsage: (of) => shown(of, help.commandUsage(of)),
    })
    .showHelpAfterError(`  next: vipshift ${[pathOf(command), '--help'].join(' ').trim()}`);
  refuseContradictions(command);
  command.hook('preAction', (_parent, self) => {
    if (self !== command) return;
    const meant = commonOf(self);
    const root = rootOf(self);
    for (const option of root.options)
      if (root.getOptionValueSource(option.attributeName()) === 'cli' && !meant.includes(option))
        self.error(`error: unknown option '${option.long}'`);
    const missing = self.options.filter(
      (o) => isRequired(o) && self.getOptionValue(o.attributeName()) === undefined,
    );
    if (missing.length > 0) self.error(`error: missing: ${missing.map((o) => o.flags).join(', ')}`);
  });
}

const rootOf = (command: Command): Command => (command.parent === null ? command : rootOf(command.parent));

/** Such as `vip add`. */
export function pathOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent != null; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}
