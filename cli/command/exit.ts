// How a command ends. The status is part of the interface: scripts and CI branch on it. The one table of them is here; the help
// prints it, and docs/output.md has it.
//
// Every error that a user can do something about is a Complaint: what was found, and the next thing to do. Everything
// else is our mistake and shows its stack.

import { wrapped } from './print/fit.ts';

export const statuses = [
  { status: 0, name: 'ok', says: 'done, and nothing is wrong' },
  {
    status: 1,
    name: 'bad',
    says: 'done, and the answer is bad: a fault found, a record that differs, a difference in a dry run, a failover that failed, some of several VIPs not done',
  },
  {
    status: 2,
    name: 'usage',
    says: 'the command line, or a file that it names, is wrong, whatever the state; nothing was done',
  },
  {
    status: 3,
    name: 'refused',
    says: 'it conflicts with existing state, refers to something that does not exist, or was declined when asked; nothing was done',
  },
  { status: 4, name: 'aws', says: 'AWS did not answer, or did not allow it' },
  /** EX_SOFTWARE of sysexits.h. */
  { status: 70, name: 'bug', says: 'a fault in vipshift itself: please report it' },
  { status: 130, name: 'interrupted', says: 'interrupted by Ctrl-C' },
] as const;

export type Status = (typeof statuses)[number]['status'];
type StatusName = (typeof statuses)[number]['name'];

/** By name. */
export const status = Object.fromEntries(statuses.map(({ name, status }) => [name, status])) as {
  readonly [Name in StatusName]: Extract<(typeof statuses)[number], { readonly name: Name }>['status'];
};

export class CliError extends Error {
  override readonly name = 'Complaint';
  readonly status: Status;
  /** The next thing to do: a command or a sentence. */
  readonly next: string;
  constructor(message: string, next: string, exit: Status, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.next = next;
    this.status = exit;
  }
}

export const usage = (message: string, next: string): CliError => new CliError(message, next, status.usage);
export const refused = (message: string, next: string): CliError =>
  new CliError(message, next, status.refused);

/** Of a line of the help, with its indent. */
const HELP_WIDTH = 80;
const HELP_INDENT = 7;

/** For the help: the table, wrapped. */
export const statusHelp = (): string => {
  const rows = statuses.map(({ status, says }) => {
    const [first = '', ...more] = wrapped(says, HELP_WIDTH - HELP_INDENT);
    return [
      `  ${String(status).padEnd(HELP_INDENT - 2)}${first}`,
      ...more.map((line) => ' '.repeat(HELP_INDENT) + line),
    ];
  });
  return `\nExit status:\n${rows.flat().join('\n')}`;
};
