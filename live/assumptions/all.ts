// Every assumption, in the order in which they are asked: what costs nothing first, what needs instances last.
import { announcements, ownSession, sourceBinding } from './bus.ts';
import { instanceCredentials } from './instance-keys.ts';
import { type Probe, probes } from './questions.ts';
import { approvalRight, eniAttribute, trustAccount } from './rights.ts';
import { runningProbes } from './run.ts';

/** They ask what policies allow; a local AWS evaluates none. */
export const policyProbes: readonly Probe[] = [
  ...[sourceBinding, ownSession, announcements],
  ...[eniAttribute, approvalRight, trustAccount],
];
/** They need an instance that runs. */
export const instanceProbes: readonly Probe[] = [...runningProbes, instanceCredentials];
export const allProbes: readonly Probe[] = [...probes, ...policyProbes, ...instanceProbes];
