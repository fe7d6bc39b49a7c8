// The ports of a function: a mistake in our own code that one of them throws is logged and counted there, whatever the
// caller then makes of it. Many callers go on after a port's fault (a view that cannot be kept, a renewal, a bucket), and
// without this no one would see a bug in one of them.
//
// Limit: a bug of a caller that it catches itself is seen only where the domain returns it or the handler throws it.
import type { InvocationPorts } from '../invocation.ts';
import { logBug, type Telemetry } from './telemetry.ts';

/** Every method of these is asynchronous. */
const watched = [
  'ec2',
  'vips',
  'views',
  'timeline',
  'bus',
  'sharedBucket',
  'changes',
  'orders',
  'approvals',
] as const satisfies readonly (keyof InvocationPorts)[];

export function withBugLog(ports: InvocationPorts, telemetry: Telemetry): InvocationPorts {
  const all = watched.flatMap((name) => {
    const port = ports[name];
    return port === undefined ? [] : [[name, watching(port, name, telemetry)]];
  });
  return { ...ports, ...(Object.fromEntries(all) as Partial<InvocationPorts>) };
}

function watching<Port extends object>(port: Port, name: string, telemetry: Telemetry): Port {
  const methods = Object.entries(port as Record<string, (...args: unknown[]) => Promise<unknown>>);
  const wrapped = methods.map(([method, call]) => [
    method,
    async (...args: unknown[]) => {
      try {
        return await call(...args);
      } catch (error) {
        logBug(telemetry, error, `${name}.${method}`);
        throw error;
      }
    },
  ]);
  return Object.fromEntries(wrapped) as Port;
}
