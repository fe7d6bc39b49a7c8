// The tree of commands. Each command's file says what it does; command/command.ts what all have in common.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { VERSION } from '../shared/version.ts';
import { applyCommand } from './apply/command.ts';
import { auditCommand } from './audit/command.ts';
import { defineProgram } from './command/command.ts';
import { statusHelp } from './command/exit.ts';
import { completionCommand } from './completion/command.ts';
import { completionValuesCommand } from './completion/values-command.ts';
import { doctorCommand } from './doctor/command.ts';
import { drainCommand, undrainCommand } from './drain/command.ts';
import { approveCommand, denyCommand } from './failover/approve-command.ts';
import { failoverCommand } from './failover/command.ts';
import { keepalivedConfigCommand } from './keepalived-config/command.ts';
import { freezeCommand, pinCommand, unfreezeCommand, unpinCommand } from './override/command.ts';
import { statusCommand } from './status/command.ts';
import { explainCommand, ownerCommand, timelineCommand } from './timeline/command.ts';
import { vipCommand } from './vip/command.ts';

/** Of the checkout, or of the installed package. */
function home(folder = dirname(fileURLToPath(import.meta.url))): string {
  const above = dirname(folder);
  return above === folder || existsSync(join(folder, 'package.json')) ? folder : home(above);
}

export const program = (): Command =>
  defineProgram(
    {
      name: 'vipshift',
      about: 'Floating IPs across availability zones: the registry, its state, and what happened.',
      version: VERSION,
      help: `\nEach command has examples in its own help: vipshift vip add --help\nPages that messages name, such as docs/operations.md, are in:\n  ${home()}\n${statusHelp()}`,
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
      drainCommand(),
      undrainCommand(),
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
