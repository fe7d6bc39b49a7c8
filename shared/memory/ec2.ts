// EC2 in memory: route tables, ENIs and Elastic IPs of one Region, with the refusals that the real calls give (EC2 API
// reference: ReplaceRoute, CreateRoute, AssociateAddress). Each call takes effect in one step; delays, lost replies,
// throttles and stale reads are wrapped around it by tests that want them.
import { Fault } from '../fault.ts';
import type { Ec2 } from '../network/ec2.ts';
import {
  type EipSeen,
  type EniSeen,
  isAddress,
  type Observation,
  type RouteSeen,
  type TableSeen,
} from '../network/observation.ts';
import type { CheckStep, EipStep, RouteStep, Step } from '../network/step.ts';
import type { Clock } from '../time.ts';
import { EIP_SUFFIX } from '../vip/member.ts';
import type { Scope } from '../vip/vip.ts';
import type { ScheduledEvent } from '../warning/scheduled.ts';

export interface MemoryEip extends EipSeen {
  /** The tag's value; undefined when it has none. */
  readonly label?: string;
}
export interface MemoryTable extends Omit<TableSeen, 'routes'> {
  readonly label?: string;
  readonly routes: Readonly<Record<string, RouteSeen>>;
}
export interface MemoryEni extends Omit<EniSeen, 'label' | 'addresses'> {
  readonly label?: string;
  readonly privateAddresses: readonly string[];
}

export interface MemoryEc2 extends Ec2 {
  readonly tables: Map<string, MemoryTable>;
  readonly enis: Map<string, MemoryEni>;
  readonly eips: Map<string, MemoryEip>;
  /** Instances that do not run, with EC2's name of their state; all others do that have an ENI. */
  readonly halted: Map<string, string>;
  /** What is scheduled for instances. */
  readonly scheduled: ScheduledEvent[];
  /** Every call that took effect, in order, for checkers. */
  readonly effects: readonly Step[];
}

export function memoryEc2(clock: Clock): MemoryEc2 {
  const tables = new Map<string, MemoryTable>();
  const enis = new Map<string, MemoryEni>();
  const eips = new Map<string, MemoryEip>();
  const effects: Step[] = [];
  const halted = new Map<string, string>();
  const scheduled: ScheduledEvent[] = [];
  const state: Region = { tables, enis, eips };
  return {
    ...state,
    halted,
    scheduled,
    effects,
    async observe(scope) {
      return observationOf(state, scope, clock);
    },
    async observeAll(scopes) {
      return new Map(scopes.map((scope) => [scope.name, observationOf(state, scope, clock)]));
    },
    async hostState(node) {
      const isAttached = [...enis.values()].some((eni) => eni.node === node);
      return halted.get(node) ?? (isAttached ? 'running' : undefined);
    },
    async scheduledEvents() {
      return [...scheduled];
    },
    async apply(step, mayStart) {
      if (!mayStart()) throw new Fault('lease-short', 'LeaseShort', 'too little lease left to start');
      applyStep(state, step);
      effects.push(step);
    },
  };
}

type Region = Pick<MemoryEc2, 'tables' | 'enis' | 'eips'>;

function observationOf(region: Region, scope: Scope, clock: Clock): Observation {
  const labels = [...scope.nodeLabels, ...scope.nodeLabels.map((label) => label + EIP_SUFFIX)];
  const hasLabel = (label: string | undefined, wanted: readonly string[]) =>
    label !== undefined && wanted.includes(label);
  const now = clock.now();
  const eips = [...region.eips.values()];
  return {
    source: 'ec2',
    beganAtMs: now,
    endedAtMs: now,
    tables: [...region.tables.values()]
      .filter((t) => hasLabel(t.label, scope.tableLabels))
      .map((table) => ({ ...table, routes: routesNow(region, table.routes) })),
    enis: [...region.enis.values()]
      .filter((e) => hasLabel(e.label, labels))
      .map(({ privateAddresses, ...eni }) => ({
        ...eni,
        label: eni.label!,
        addresses: privateAddresses.map((privateAddress) => {
          const eip = eips.find((e) => e.eni === eni.eni && e.privateAddress === privateAddress);
          return eip === undefined ? { privateAddress } : { privateAddress, eip: eip.eip };
        }),
      })),
    eips: eips
      .filter((e) => hasLabel(e.label, [scope.name, ...labels]))
      .map(({ label: _label, ...eip }) => eip),
  };
}

/** Only routes to a single address. One to an ENI that is gone or attached to nothing leads nowhere (VPC guide:
 * state blackhole). */
function routesNow(region: Region, routes: MemoryTable['routes']): MemoryTable['routes'] {
  const now: Record<string, RouteSeen> = {};
  for (const destination of Object.keys(routes)) {
    if (!isAddress(destination)) continue;
    const route = routes[destination]!;
    const dead = route.target.startsWith('eni-') && region.enis.get(route.target)?.node === undefined;
    now[destination] = dead ? { ...route, state: 'blackhole' } : route;
  }
  return now;
}

function applyStep(region: Region, step: Step): void {
  if (!region.enis.has(step.eni)) {
    throw new Fault('gone', 'InvalidNetworkInterfaceID.NotFound', `the ENI ${step.eni} does not exist`);
  }
  if (step.call === 'AssociateAddress') associate(region, step);
  else if (step.call === 'ModifyNetworkInterfaceAttribute') switchCheckOff(region, step);
  else setRoute(region, step);
}

function setRoute(region: Region, step: RouteStep): void {
  const table = region.tables.get(step.table);
  if (table === undefined) throw new Fault('gone', 'InvalidRouteTableID.NotFound', `no table ${step.table}`);
  const route = table.routes[step.destination];
  if (step.call === 'ReplaceRoute' && (route === undefined || route.propagated)) {
    throw new Fault('no-route', 'InvalidParameterValue', `no route for ${step.destination} in ${step.table}`);
  }
  if (step.call === 'CreateRoute' && route !== undefined && !route.propagated) {
    throw new Fault(
      'route-exists',
      'RouteAlreadyExists',
      `${step.table} has a route for ${step.destination}`,
    );
  }
  const set: RouteSeen = { target: step.eni, state: 'active', propagated: false };
  region.tables.set(step.table, { ...table, routes: { ...table.routes, [step.destination]: set } });
}

/** With AllowReassociation: whatever lay on the private address before is thrown off. */
function associate(region: Region, step: EipStep): void {
  const eip = region.eips.get(step.eip);
  if (eip === undefined) throw new Fault('gone', 'InvalidAllocationID.NotFound', `no EIP ${step.eip}`);
  if (!region.enis.get(step.eni)!.privateAddresses.includes(step.privateAddress)) {
    throw new Fault(
      'refused',
      'InvalidParameterValue',
      `${step.privateAddress} is no address of ${step.eni}`,
    );
  }
  for (const other of region.eips.values()) {
    if (other.eni !== step.eni || other.privateAddress !== step.privateAddress) continue;
    const { eni: _eni, privateAddress: _address, ...loose } = other;
    region.eips.set(other.eip, loose);
  }
  region.eips.set(step.eip, { ...eip, eni: step.eni, privateAddress: step.privateAddress });
}

function switchCheckOff(region: Region, step: CheckStep): void {
  region.enis.set(step.eni, { ...region.enis.get(step.eni)!, sourceDestCheck: false });
}
