// How a command ends. The status is part of the interface: scripts and CI branch on it.
//
// Every error that a user can do something about is a Complaint: what was found, and the next thing to do. Everything
// else is our mistake and shows its stack.
export const status = {
  ok: 0,
  /** The command did its work and the answer is bad: a fault found, a record that differs, a failover that failed. */
  bad: 1,
  /** The command line was wrong; nothing was done. */
  usage: 2,
  /** The request conflicts with existing state, or refers to something that does not exist; nothing was done. */
  refused: 3,
  /** AWS did not answer, or did not allow it. */
  aws: 4,
  /** A fault in vipshift itself (EX_SOFTWARE of sysexits.h). */
  bug: 70,
  interrupted: 130,
} as const;
export type Status = (typeof status)[keyof typeof status];

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

export const statusHelp = `
Exit status:
  0  done, and nothing is wrong
  1  done, and the answer is bad: a fault found, a record that differs, a failover that failed
  2  the command line is wrong; nothing was done
  3  refused: it conflicts with existing state, or refers to something that does not exist;
     nothing was done
  4  AWS did not answer, or did not allow it
  70  a fault in vipshift itself: please report it
  130  interrupted`;
