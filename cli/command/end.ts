// How a run ends when something was thrown: told on stderr, and an exit status.
import { CommanderError } from 'commander';
import { stackOf } from '../../shared/fault.ts';
import { complaintOf } from './aws-errors.ts';
import { type Status, status } from './exit.ts';
import { plain } from './output.ts';

export function endOf(error: unknown): Status {
  // Help and version were asked for; everything else commander has already explained on stderr.
  if (error instanceof CommanderError) return error.exitCode === 0 ? status.ok : status.usage;
  const complaint = complaintOf(error);
  if (complaint === undefined) {
    process.stderr.write(
      `vipshift: this is a fault in vipshift itself, please report it.\n${stackOf(error)}\n`,
    );
    return status.bug;
  }
  const lines = complaint.message.split('\n').map(plain).join('\n  ');
  process.stderr.write(`vipshift: ${lines}\n  next: ${plain(complaint.next)}\n`);
  return complaint.status;
}
