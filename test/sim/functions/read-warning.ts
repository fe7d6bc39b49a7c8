// The step `readWarning` of the workflow `warning`: AWS's event as the product reads it.
import { warningsFrom } from '../../../shared/aws/events/warning-event.ts';
import type { InvocationPorts } from '../../../shared/aws/invocation.ts';
import { onWarnings, type Warned } from '../../../shared/departure/warned.ts';
import { ignoredText } from '../../../shared/warning/warning.ts';
import type { World } from '../world/world.ts';

/** Instances have short names here; on the bus they look like EC2's. */
export const wireId = (node: string): string =>
  `i-${Buffer.from(node.slice(2)).toString('hex').padStart(8, '0')}`;

export async function readWarningOf(world: World, ports: InvocationPorts, event: unknown): Promise<Warned> {
  const read = warningsFrom(event);
  if (read.is === 'ignored') return { departures: [], said: [ignoredText(read.reason)] };
  const nameOf = (id: string) => world.everMembers.find((node) => wireId(node) === id) ?? id;
  const warnings = read.warnings.map((warning) => ({ ...warning, node: nameOf(warning.node) }));
  return onWarnings(ports, read.by, warnings);
}
