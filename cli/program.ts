// The tree of commands. Each command's file says what it does; command/command.ts what all have in common.
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { applyCommand } from './apply/command.ts';
import { auditCommand } from './audit/command.ts';
import { defineProgram } from './command/command.ts';
import { statusHelp } from './command/exit.ts';
import { completionCommand } from './completion/command.ts';
import { completionValuesCommand } from './completion/values-command.ts';
import { doctorCommand } from './doctor/command.ts';
import { approveCommand, denyCommand } from './failover/approve-command.ts';
import { failoverCommand } from './failover/command.ts';
import { keepalivedConfigCommand } from './keepalived-config/command.ts';
import { freezeCommand, pinCommand, unfreezeCommand, unpinCommand } from './override/command.ts';
import { statusCommand } from './status/command.ts';
import { explainCommand, ownerCommand, timelineCommand } from './timeline/command.ts';
import { vipCommand } from './vip/command.ts';

export const program = (): Command =>
  defineProgram(
    {
      name: 'vipshift',
      about: 'Floating IPs across availability zones: the registry, its state, and what happened.',
      version: version(),
      help: `\nEach command has examples in its own help: vipshift vip add --help\n${statusHelp()}`,
    },
    [
      vipCommand(),
      applyCommand(),
      statusCommand(),
      doctorCommand(),
      pinCommand(),
      unpinCommand(),
      freezeCommand(),
      unfreezeCommand(),
      failoverCommand(),
      approveCommand(),
      denyCommand(),
      timelineCommand(),
      explainCommand(),
      ownerCommand(),
      auditCommand(),
      keepalivedConfigCommand(),
      completionCommand(),
      completionValuesCommand(),
    ],
  );

/** package.json lies above the source and above the bundle. */
function version(): string {
  for (const up of ['../package.json', '../../package.json', '../../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        name: string;
        version: string;
      };
      if (found.name === 'vipshift') return found.version;
    } catch {
      // Another place.
    }
  }
  return 'unknown';
}
