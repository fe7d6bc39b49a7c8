// Counts round trips: every call of a port takes the same time, and one that starts after another one's reply is one
// deeper. The depth of a call is then the number of sequential round trips up to and including itself.
//
// Limit: it counts calls of ports. How many requests a call takes one after another (pages) is told to it; the contract
// suite of the port shows that it is so.
import type { ReconcilePorts } from '../../shared/controller/reconcile.ts';
import { type DurationMs, durationMs } from '../../shared/time.ts';
import type { World } from './world.ts';

export interface Call {
  /** `vips.recordClaim`, `ec2.apply`, … */
  readonly name: string;
  readonly depth: number;
}

export interface Counter {
  readonly ports: ReconcilePorts;
  /** In the order in which they were sent. */
  readonly calls: readonly Call[];
  /** Sequential round trips until the last mutation was sent, that one included; 0 when none was. */
  toLastMutation(): number;
  /** How often each port was called, by name. */
  counts(): Readonly<Record<string, number>>;
}

const LATENCY: DurationMs = durationMs(10);

export function counter(
  w: World,
  latencies: Readonly<Record<string, DurationMs>> = {},
  pages: Readonly<Record<string, number>> = {},
): Counter {
  const calls: Call[] = [];
  let replied = 0;
  async function trip<T>(name: string, work: () => Promise<T>): Promise<T> {
    const depth = replied + 1;
    calls.push({ name, depth });
    try {
      await w.clock.wait(latencies[name] ?? LATENCY);
      return await work();
    } finally {
      replied = Math.max(replied, depth);
    }
  }
  /** Every method of a port, counted under the port's name. */
  function counted<Port extends object>(port: string, of: Port): Port {
    const methods = Object.entries(of).filter(([, method]) => typeof method === 'function');
    const wrapped = methods.map(([name, method]) => [
      name,
      async (...args: unknown[]) => {
        const call = `${port}.${name}`;
        for (let page = 1; page < (pages[call] ?? 1); page++) await trip(call, async () => undefined);
        return trip(call, () => method.apply(of, args));
      },
    ]);
    return { ...of, ...Object.fromEntries(wrapped) };
  }
  const { ports } = w;
  const ec2 = counted('ec2', ports.ec2);
  return {
    calls,
    ports: {
      ...ports,
      vips: counted('vips', ports.vips),
      views: counted('views', ports.views),
      timeline: counted('timeline', ports.timeline),
      bus: counted('bus', ports.bus),
      ec2: {
        ...ec2,
        apply(step, mayStart) {
          // Asked when the request goes out, as the port's contract says.
          const may = mayStart();
          return trip('ec2.apply', () => ports.ec2.apply(step, () => may));
        },
      },
    },
    toLastMutation: () => Math.max(0, ...calls.filter((c) => c.name === 'ec2.apply').map((c) => c.depth)),
    counts() {
      const times: Record<string, number> = {};
      for (const { name } of calls) times[name] = (times[name] ?? 0) + 1;
      return times;
    },
  };
}
