/**
 * Mirror: makes the router do what the emulated EC2 says. It is pushed: a mutation that EC2 has accepted is carried over
 * at once, from the request itself; and it is checked: `differences` compares everything with what EC2 describes.
 *
 * Every change is kept with its instant, so that the time from EC2's answer to the kernel's route can be told apart.
 * Honest limit: a real VPC takes longer than these 2 ms to move packets after it has answered; AWS does not promise how long.
 */
import {
  DescribeAddressesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSubnetsCommand,
  type EC2Client,
} from '@aws-sdk/client-ec2';
import type { Router, Subnet } from '../sandbox/router.ts';
import type { Translation } from '../sandbox/translation.ts';
import { monotonicMs } from '../scenario/moment.ts';
import type { Exchange } from './recording-proxy.ts';

export interface Change {
  readonly atMs: number;
  /** A subnet's name, or the EIP. */
  readonly what: string;
  readonly address: string | undefined;
  /** The request that EC2 accepted; undefined when it was found by a description. */
  readonly because: Exchange | undefined;
}

const SUBNET_OF: Readonly<Record<string, Subnet>> = {
  '10.0.1.0/24': 'a',
  '10.0.2.0/24': 'b',
  '10.0.11.0/24': 'client',
};
const ACCEPTED = 200;

/**
 * The address under which the lab's Internet knows an EIP: moto hands out addresses of 127/8, which no kernel routes, so
 * each allocation stands for one of TEST-NET-3 instead.
 */
export function publicAddress(allocations: readonly string[], allocation: string): string {
  return `203.0.113.${10 + allocations.toSorted().indexOf(allocation)}`;
}

interface DescribedRoute {
  readonly subnet: Subnet;
  readonly destination: string;
  readonly address: string;
}

interface Described {
  readonly subnetOfTable: ReadonlyMap<string, Subnet>;
  readonly addressOfEni: ReadonlyMap<string, string>;
  readonly eipOfAllocation: ReadonlyMap<string, string>;
  readonly routes: readonly DescribedRoute[];
  readonly associations: ReadonlyMap<string, string>;
}

export class Mirror {
  readonly changes: Change[] = [];
  /** What could not be carried over; a scenario with any is broken. */
  readonly troubles: string[] = [];
  readonly #ec2: EC2Client;
  readonly #vpc: string;
  readonly #router: Router;
  readonly #translation: Translation;
  #known: Described | undefined;
  #later = 0;

  constructor(ec2: EC2Client, vpc: string, router: Router, translation: Translation) {
    this.#ec2 = ec2;
    this.#vpc = vpc;
    this.#router = router;
    this.#translation = translation;
  }

  /** Where the lab's Internet reaches an EIP. */
  publicAddressOf(allocation: string): string {
    const found = this.#known?.eipOfAllocation.get(allocation);
    if (found === undefined) throw new Error(`EC2 describes no allocation ${allocation}`);
    return found;
  }

  /** Everything from a description: at the start, and wherever the lab itself changed something in EC2. */
  async load(): Promise<void> {
    const now = await this.#describe();
    this.#known = now;
    for (const { subnet, destination, address } of now.routes) {
      await this.#point(subnet, destination, address, undefined);
    }
    for (const [eip, address] of now.associations) await this.#associate(eip, address, undefined);
  }

  /** Nothing that EC2 has answered is still to be carried over. */
  get isUpToDate(): boolean {
    return this.#later === 0;
  }

  /** As `follow`, but the routes take effect only then. */
  followLater(exchange: Exchange, afterMs: number): void {
    this.#later += 1;
    setTimeout(() => {
      this.#later -= 1;
      this.follow(exchange);
    }, afterMs);
  }

  /** Called by the tap for each request that EC2 has answered. */
  follow(exchange: Exchange): void {
    if (exchange.status !== ACCEPTED || this.#known === undefined) return;
    const asked = new URLSearchParams(exchange.body);
    const address = this.#known.addressOfEni.get(asked.get('NetworkInterfaceId') ?? '');
    const table = this.#known.subnetOfTable.get(asked.get('RouteTableId') ?? '');
    const carried =
      exchange.action === 'ReplaceRoute' || exchange.action === 'CreateRoute'
        ? table && this.#point(table, asked.get('DestinationCidrBlock') ?? '', address, exchange)
        : exchange.action === 'DeleteRoute'
          ? table && this.#point(table, asked.get('DestinationCidrBlock') ?? '', undefined, exchange)
          : exchange.action === 'AssociateAddress'
            ? this.#associate(
                this.#known.eipOfAllocation.get(asked.get('AllocationId') ?? '') ?? '',
                asked.get('PrivateIpAddress') ?? address,
                exchange,
              )
            : undefined;
    carried?.catch((error: unknown) => this.troubles.push(`${exchange.action}: ${String(error)}`));
  }

  /** One sentence for each place where the router does not do what EC2 says. */
  async differences(): Promise<string[]> {
    const now = await this.#describe();
    const routes = new Map(Object.entries(this.#router.routes()));
    const wanted = now.routes
      .map((route) => ({ ...route, destination: route.destination.replace('/32', '') }))
      .filter(({ destination }) => this.#router.carries(destination))
      .map(({ subnet, destination, address }) => [`${subnet} ${destination}`, address] as const);
    const wrong = wanted.filter(([key, address]) => routes.get(key) !== address);
    const nat = this.#translation.associations();
    return [
      ...wrong.map(([key, want]) => `the router sends ${key} to ${routes.get(key)}, EC2 says ${want}`),
      ...[...now.associations]
        .filter(([eip, address]) => nat[eip] !== address)
        .map(([eip, want]) => `the router translates ${eip} to ${nat[eip]}, EC2 says ${want}`),
    ];
  }

  async #point(
    subnet: Subnet,
    destination: string,
    address: string | undefined,
    because: Exchange | undefined,
  ): Promise<void> {
    if (!destination.endsWith('/32')) return;
    if (await this.#router.point(subnet, destination.slice(0, -3), address)) {
      this.changes.push({ atMs: monotonicMs(), what: subnet, address, because });
    }
  }

  async #associate(eip: string, address: string | undefined, because: Exchange | undefined): Promise<void> {
    if (await this.#translation.associate(eip, address)) {
      this.changes.push({ atMs: monotonicMs(), what: eip, address, because });
    }
  }

  async #describe(): Promise<Described> {
    const inVpc = { Filters: [{ Name: 'vpc-id', Values: [this.#vpc] }] };
    const [tables, enis, subnets, addresses] = await Promise.all([
      this.#ec2.send(new DescribeRouteTablesCommand(inVpc)),
      this.#ec2.send(new DescribeNetworkInterfacesCommand(inVpc)),
      this.#ec2.send(new DescribeSubnetsCommand(inVpc)),
      this.#ec2.send(new DescribeAddressesCommand({})),
    ]);
    const subnetName = new Map(
      (subnets.Subnets ?? []).map((subnet) => [subnet.SubnetId, SUBNET_OF[subnet.CidrBlock ?? '']]),
    );
    const addressOfEni = new Map(
      (enis.NetworkInterfaces ?? []).map((eni) => [eni.NetworkInterfaceId ?? '', eni.PrivateIpAddress ?? '']),
    );
    const subnetOfTable = new Map<string, Subnet>();
    const routes: DescribedRoute[] = [];
    for (const table of tables.RouteTables ?? []) {
      for (const association of table.Associations ?? []) {
        const subnet = subnetName.get(association.SubnetId);
        if (subnet === undefined) continue;
        subnetOfTable.set(table.RouteTableId ?? '', subnet);
        for (const route of table.Routes ?? []) {
          const address = addressOfEni.get(route.NetworkInterfaceId ?? '');
          const destination = route.DestinationCidrBlock;
          if (address !== undefined && destination !== undefined)
            routes.push({ subnet, destination, address });
        }
      }
    }
    const eips = addresses.Addresses ?? [];
    const allocations = eips.map(({ AllocationId = '' }) => AllocationId);
    const publicOf = (allocation: string) => publicAddress(allocations, allocation);
    return {
      subnetOfTable,
      addressOfEni,
      routes,
      eipOfAllocation: new Map(eips.map(({ AllocationId = '' }) => [AllocationId, publicOf(AllocationId)])),
      associations: new Map(
        eips.flatMap(({ AllocationId = '', NetworkInterfaceId, PrivateIpAddress }) => {
          const address = PrivateIpAddress || addressOfEni.get(NetworkInterfaceId ?? '');
          return address === undefined ? [] : [[publicOf(AllocationId), address]];
        }),
      ),
    };
  }
}
