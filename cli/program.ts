// The tree of commands. Each command's file says what it does; this one says what all have in common.
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { applyCommand } from './apply.ts';
import { approveCommand, denyCommand } from './approve.ts';
import { auditCommand } from './audit.ts';
import { completionCommand } from './completion.ts';
import { refuseContradictions } from './contradictions.ts';
import { doctorCommand } from './doctor.ts';
import { statusHelp } from './exit.ts';
import { explainCommand, ownerCommand } from './explain.ts';
import { failoverCommand } from './failover.ts';
import { keepalivedConfigCommand } from './keepalived-config.ts';
import { freezeCommand, pinCommand, thawCommand, unpinCommand } from './orders.ts';
import { statusCommand } from './status.ts';
import { timelineCommand } from './timeline.ts';
import { vipCommand } from './vip.ts';

export function program(): Command {
  const root = new Command('vipshift')
    .description('Floating IPs across availability zones: the ledger, its state, and what happened.')
    .version(version(), '-V, --version', 'print the version')
    .addCommand(vipCommand())
    .addCommand(applyCommand())
    .addCommand(statusCommand())
    .addCommand(doctorCommand())
    .addCommand(pinCommand())
    .addCommand(unpinCommand())
    .addCommand(freezeCommand())
    .addCommand(thawCommand())
    .addCommand(failoverCommand())
    .addCommand(approveCommand())
    .addCommand(denyCommand())
    .addCommand(timelineCommand())
    .addCommand(explainCommand())
    .addCommand(ownerCommand())
    .addCommand(auditCommand())
    .addCommand(keepalivedConfigCommand())
    .addCommand(completionCommand())
    .addHelpText(
      'after',
      `\nEach command has examples in its own help: vipshift vip add --help\n${statusHelp}`,
    );
  for (const command of everyCommand(root)) habits(command);
  return root;
}

export const everyCommand = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap(everyCommand),
];

function habits(command: Command): void {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeErr: (text) => process.stderr.write(text.replace(/^error: /, 'vipshift: ')),
    });
  refuseContradictions(command);
  command.showHelpAfterError(`  next: vipshift ${[pathOf(command), '--help'].join(' ').trim()}`);
}

function pathOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent != null; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}

/** Beside the source and in the bundle alike: package.json lies above both. */
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
