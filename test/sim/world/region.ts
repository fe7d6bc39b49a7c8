// EC2 as the simulation sees it: shared/memory/ec2.ts with its past (so that reads can be stale), its request budget
// (token buckets) and a record of every change.
//
// Limit: a stale read mixes moments by thing (each table, ENI and EIP has an age of its own), not by field.
import {
  type MemoryEc2,
  type MemoryEip,
  type MemoryEni,
  type MemoryTable,
  memoryEc2,
} from '../../../shared/memory/ec2.ts';
import type { Observation, RouteSeen } from '../../../shared/network/observation.ts';
import type { EipStep, Step } from '../../../shared/network/step.ts';
import type { Clock, EpochMs } from '../../../shared/time.ts';
import type { Scope } from '../../../shared/vip/vip.ts';

export const VPC = 'vpc-1';
export const ACCOUNT = '111122223333';

type Thing = MemoryTable | MemoryEni | MemoryEip;

interface Past {
  readonly atMs: number;
  readonly kind: 'tables' | 'enis' | 'eips';
  readonly id: string;
  readonly was: Thing | undefined;
}

/** One change of one cell: a route, or where an EIP lies. Undefined: nothing there. */
export interface CellChange {
  readonly atMs: number;
  readonly cell: string;
  readonly was: string | undefined;
  readonly is: string | undefined;
  /** Whether `was` was a living target, active or in use. */
  readonly wasAlive: boolean;
  /** The attempt that did it; undefined when an operator did. */
  readonly by: number | undefined;
}

/** A change that happens now; whether `was` is alive is looked up where it is not known from before. */
type Noted = Pick<CellChange, 'cell' | 'was' | 'is'> & Partial<Pick<CellChange, 'wasAlive' | 'by'>>;

export interface Region {
  readonly ec2: MemoryEc2;
  readonly changes: readonly CellChange[];
  /** Those of one cell, in their order. */
  changesOf(cell: string): readonly CellChange[];
  /** What a read that is answered now shows; `age` says how old the answer about a thing is. */
  observe(scope: Scope, age: ((id: string) => number) | undefined): Promise<Observation>;
  /** Carries out one attempt at once; the answer is a promise only because the port's is. */
  carryOut(step: Step, attempt: number): Promise<void>;
  /** Changes of an operator or of the platform. */
  setTable(table: MemoryTable): void;
  setEni(eni: MemoryEni): void;
  dropEni(eni: string): void;
  setEip(eip: MemoryEip): void;
  routeTo(table: string, destination: string, target: string | undefined): void;
  route(table: string, destination: string): RouteSeen | undefined;
  /** The ENI as it was then, with the label that it had. */
  eniAt(eni: string, atMs: number): MemoryEni | undefined;
  /** Takes one token of the call's bucket; false: throttled. */
  admit(call: Step['call']): boolean;
  drain(): void;
}

/** EC2 developer guide, "Request throttling". */
const buckets: Readonly<Record<Step['call'], { burst: number; perSecond: number }>> = {
  ReplaceRoute: { burst: 50, perSecond: 5 },
  CreateRoute: { burst: 50, perSecond: 5 },
  AssociateAddress: { burst: 50, perSecond: 5 },
  ModifyNetworkInterfaceAttribute: { burst: 100, perSecond: 5 },
};

const yes = () => true;

/** The longest that a read may be behind. */
export const STALE_MAX_MS = 4000;

export function region(now: () => EpochMs, simNow: () => number): Region {
  const clock = { now, wait: () => Promise.reject(new Error('the region does not wait')) };
  const ec2 = memoryEc2(clock);
  const past: Past[] = [];
  const changes: CellChange[] = [];
  const byCell = new Map<string, CellChange[]>();
  const levels = new Map<Step['call'], { tokens: number; atMs: number }>();
  const mapOf = (kind: Past['kind'], of: MemoryEc2) => of[kind] as Map<string, Thing>;
  const keep = (kind: Past['kind'], id: string) =>
    past.push({ atMs: simNow(), kind, id, was: mapOf(kind, ec2).get(id) });
  const alive = (target: string | undefined): boolean =>
    target !== undefined && (!target.startsWith('eni-') || ec2.enis.get(target)?.node !== undefined);
  const note = ({ by, ...change }: Noted) => {
    const changed: CellChange = { atMs: simNow(), wasAlive: alive(change.was), ...change, by };
    changes.push(changed);
    const earlier = byCell.get(change.cell);
    if (earlier === undefined) byCell.set(change.cell, [changed]);
    else earlier.push(changed);
  };
  const route = (table: string, destination: string) => ec2.tables.get(table)?.routes[destination];

  const self: Region = {
    ec2,
    changes,
    changesOf: (cell) => byCell.get(cell) ?? [],
    route,
    eniAt(eni, atMs) {
      const changed = past.find((p) => p.kind === 'enis' && p.id === eni && p.atMs > atMs);
      return changed === undefined ? ec2.enis.get(eni) : (changed.was as MemoryEni | undefined);
    },
    observe(scope, age) {
      if (age === undefined || past.length === 0 || past.at(-1)!.atMs < simNow() - STALE_MAX_MS) {
        return ec2.observe(scope);
      }
      return asItWas({ clock, ec2, past }, simNow(), age).observe(scope);
    },
    carryOut(step, attempt) {
      if (step.call === 'AssociateAddress') return associate(step, attempt);
      if (step.call === 'ModifyNetworkInterfaceAttribute') {
        keep('enis', step.eni);
        return ec2.apply(step, yes);
      }
      const was = ec2.tables.get(step.table);
      const target = was?.routes[step.destination]?.target;
      const wasAlive = alive(target);
      keep('tables', step.table);
      const answer = ec2.apply(step, yes);
      if (ec2.tables.get(step.table) !== was)
        note({ cell: step.cell, was: target, is: step.eni, wasAlive, by: attempt });
      return answer;
    },
    setTable(table) {
      keep('tables', table.table);
      ec2.tables.set(table.table, table);
    },
    setEni(eni) {
      keep('enis', eni.eni);
      ec2.enis.set(eni.eni, eni);
    },
    dropEni(eni) {
      keep('enis', eni);
      ec2.enis.delete(eni);
      for (const eip of [...ec2.eips.values()]) {
        if (eip.eni !== eni) continue;
        const { eni: _eni, privateAddress: _address, ...loose } = eip;
        self.setEip(loose);
      }
    },
    setEip(eip) {
      keep('eips', eip.eip);
      const was = ec2.eips.get(eip.eip)?.eni;
      ec2.eips.set(eip.eip, eip);
      if (was !== eip.eni) note({ cell: eip.eip, was, is: eip.eni });
    },
    routeTo(table, destination, target) {
      const known = ec2.tables.get(table)!;
      const was = known.routes[destination]?.target;
      keep('tables', table);
      const { [destination]: _was, ...others } = known.routes;
      const set: RouteSeen = { target: target ?? '', state: 'active', propagated: false };
      const routes = target === undefined ? others : { ...others, [destination]: set };
      ec2.tables.set(table, { ...known, routes });
      note({ cell: `${table} ${destination}`, was, is: target });
    },
    admit(call) {
      const rate = buckets[call];
      const was = levels.get(call) ?? { tokens: rate.burst, atMs: simNow() };
      const tokens = Math.min(rate.burst, was.tokens + ((simNow() - was.atMs) / 1000) * rate.perSecond);
      const admitted = tokens >= 1;
      levels.set(call, { tokens: admitted ? tokens - 1 : tokens, atMs: simNow() });
      return admitted;
    },
    drain() {
      for (const call of Object.keys(buckets) as Step['call'][])
        levels.set(call, { tokens: 0, atMs: simNow() });
    },
  };

  function associate(step: EipStep, attempt: number): Promise<void> {
    const before = [...ec2.eips.values()];
    for (const { eip } of before) keep('eips', eip);
    const answer = ec2.apply(step, yes);
    for (const was of before) {
      const is = ec2.eips.get(was.eip)!;
      if (is !== was) note({ cell: was.eip, was: was.eni, is: is.eni, by: attempt });
    }
    return answer;
  }
  return self;
}

interface Recorded {
  readonly clock: Clock;
  readonly ec2: MemoryEc2;
  readonly past: readonly Past[];
}

/** Every thing as it was when the answer about it became true. */
function asItWas({ clock, ec2, past }: Recorded, now: number, age: (id: string) => number): MemoryEc2 {
  const then = memoryEc2(clock);
  for (const [id, table] of ec2.tables) then.tables.set(id, table);
  for (const [id, eni] of ec2.enis) then.enis.set(id, eni);
  for (const [id, eip] of ec2.eips) then.eips.set(id, eip);
  for (let i = past.length - 1; i >= 0 && past[i]!.atMs > now - STALE_MAX_MS; i--) {
    const { atMs, kind, id, was } = past[i]!;
    if (atMs <= now - age(id)) continue;
    const things = then[kind] as Map<string, Thing>;
    if (was === undefined) things.delete(id);
    else things.set(id, was);
  }
  return then;
}
