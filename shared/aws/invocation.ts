// Every port that one invocation may need, whatever it was invoked for.
import type { ReconcilePorts } from '../controller/reconcile.ts';
import type { ForcedFailoverPorts } from '../forced-failover/steps.ts';

export type InvocationPorts = ForcedFailoverPorts & ReconcilePorts;
