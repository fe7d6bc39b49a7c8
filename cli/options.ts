// The options that every command understands, behind its name.
import { type Command, InvalidArgumentError, Option } from 'commander';

export interface CommonOptions {
  readonly stage?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly json?: boolean;
  /** False with --no-color. */
  readonly color?: boolean;
}

const STAGE = /^[A-Za-z][A-Za-z0-9-]{0,31}$/;

export function withCommon(command: Command, json = true): Command {
  command
    .optionsGroup('Common options:')
    .addOption(
      new Option(
        '--stage <name>',
        'the deployment (default: dev; tables vipshift-<stage>-vips and -timeline, or VIPSHIFT_VIPS_TABLE, VIPSHIFT_TIMELINE_TABLE)',
      )
        .env('VIPSHIFT_STAGE')
        .argParser(stageFrom),
    )
    .option('--region <region>', 'as the AWS CLI takes it (AWS_REGION, AWS_DEFAULT_REGION, the profile)')
    .option('--profile <name>', 'as the AWS CLI takes it (AWS_PROFILE)')
    .option('--no-color', 'no colours, also with NO_COLOR or when not on a terminal');
  if (json) command.option('--json', 'one JSON document per line');
  return command;
}

function stageFrom(text: string): string {
  if (STAGE.test(text)) return text;
  throw new InvalidArgumentError('want a letter, then letters, digits and "-".');
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
    throw new InvalidArgumentError(`want a whole number from 1 to ${max}.`);
  };
}

/** The common options that were given on this command line, for the command that is suggested next. */
export const repeated = ({ stage, region, profile }: CommonOptions): string =>
  Object.entries({ stage, region, profile })
    .map(([name, value]) => (value === undefined ? '' : ` --${name} ${value}`))
    .join('');
