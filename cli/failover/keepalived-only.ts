// Options that say how keepalived is handled, where it is left alone.
import { usage } from '../command/exit.ts';

interface KeepalivedOptions {
  readonly claimWait?: string | number;
  readonly release?: string;
}

/** What only says how keepalived is handled does nothing where it is left alone. */
export function refuseKeepalivedOnly({ claimWait, release }: KeepalivedOptions, why: string): void {
  const idle = [
    ...(claimWait === undefined ? [] : ['--claim-wait']),
    ...(release === undefined ? [] : ['--release']),
  ];
  if (idle.length > 0)
    throw usage(
      `${idle.join(' and ')} cannot be used ${why}: keepalived stays as it is`,
      `leave ${idle.length === 1 ? 'it' : 'them'} out, or take --mode via-keepalived`,
    );
}
