/**
 * Router: the namespace that is the VPC. One kernel routing table per subnet; the VIP's route in each is whatever the
 * emulated EC2's route table of that subnet says. Faults of the network are blackhole rules in front of them.
 *
 * Invariant: a subnet's kernel table never falls through to the main one for a VIP: without a route of its own
 * the packet is dropped, as in a VPC.
 * Honest limit: only the VIP's destinations are modelled; the rest of the VPC is the main table.
 */
import { Batch } from '../scenario/batch.ts';
import { AWS_ADDRESS, LINKS, NODE_ADDRESS, type NodeLabel, PORT_TO, ROUTER } from './topology.ts';

/** The router's ports that belong to one subnet and so to one route table. */
export type Subnet = 'a' | 'b' | 'client';

/** Ends the fault that gave it. */
export type Undo = () => Promise<void>;

const KERNEL_TABLE: Readonly<Record<Subnet, number>> = { a: 101, b: 102, client: 109 };
const RULE_PREFERENCE = 1_000;

function subnetOf(port: string): Subnet | undefined {
  if (port.startsWith('to-a')) return 'a';
  if (port.startsWith('to-b')) return 'b';
  return port === 'to-client' ? 'client' : undefined;
}

const PORTS_OF_NODE: Readonly<Record<NodeLabel, readonly string[]>> = {
  a: ['to-a', 'to-a-vip', 'to-a-eip'],
  b: ['to-b', 'to-b-vip', 'to-b-eip'],
};

function other(node: NodeLabel): NodeLabel {
  return node === 'a' ? 'b' : 'a';
}

export class Router {
  readonly #batch = new Batch(ROUTER);
  readonly #vips: readonly string[];
  /** `subnet vip` → the private address of the ENI that the kernel's route points to. */
  readonly #routes = new Map<string, string>();
  readonly #faults = new Set<string>();

  private constructor(vips: readonly string[]) {
    this.#vips = vips;
  }

  static async start(vips: readonly string[]): Promise<Router> {
    const router = new Router(vips);
    const subnets = Object.keys(KERNEL_TABLE) as Subnet[];
    await router.#batch.apply([
      ...LINKS.flatMap(({ port }) => {
        const subnet = subnetOf(port);
        return subnet === undefined
          ? []
          : [`rule add iif ${port} lookup ${KERNEL_TABLE[subnet]} pref ${RULE_PREFERENCE}`];
      }),
      ...subnets.flatMap((subnet) =>
        vips.map((vip) => `route add blackhole ${vip}/32 metric 9999 table ${KERNEL_TABLE[subnet]}`),
      ),
    ]);
    return router;
  }

  /** Points the VIP's route of a subnet at an ENI's private address; `undefined` takes the route away. */
  async point(subnet: Subnet, vip: string, address: string | undefined): Promise<boolean> {
    const key = `${subnet} ${vip}`;
    if (!this.carries(vip) || this.#routes.get(key) === address) return false;
    const table = KERNEL_TABLE[subnet];
    if (address === undefined) {
      this.#routes.delete(key);
      await this.#batch.apply([`route del ${vip}/32 metric 0 table ${table}`]);
    } else {
      this.#routes.set(key, address);
      await this.#batch.apply([
        `route replace ${vip}/32 via ${address} dev ${PORT_TO[address]} table ${table}`,
      ]);
    }
    return true;
  }

  carries(vip: string): boolean {
    return this.#vips.includes(vip);
  }

  routes(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#routes);
  }

  /** Nothing leaves the node any more, nor does its kernel's refusal of what arrives: a dead host is silent. */
  silence(node: NodeLabel): Promise<Undo> {
    return this.#drop(PORTS_OF_NODE[node].map((port) => `iif ${port}`));
  }

  /** VRRP alone is cut, both ways; clients and AWS are reached as before. */
  partition(): Promise<Undo> {
    return this.#drop([...this.#vrrpFrom('a'), ...this.#vrrpFrom('b')]);
  }

  /** Adverts of one node do not arrive; those of the other do. */
  muffle(node: NodeLabel): Promise<Undo> {
    return this.#drop(this.#vrrpFrom(node));
  }

  /** The node does not reach AWS's endpoints; IMDS, which is the host's own, stays. */
  cutFromAws(node: NodeLabel): Promise<Undo> {
    return this.#drop(PORTS_OF_NODE[node].map((port) => `iif ${port} to ${AWS_ADDRESS}/32`));
  }

  /** Ends every fault: only the routes remain. */
  heal(): Promise<void> {
    return this.#lift([...this.#faults]);
  }

  close(): void {
    this.#batch.close();
  }

  #vrrpFrom(node: NodeLabel): string[] {
    return [`iif to-${node} to ${NODE_ADDRESS[other(node)]}/32`];
  }

  async #drop(selectors: readonly string[]): Promise<Undo> {
    const fresh = selectors.filter((selector) => !this.#faults.has(selector));
    for (const selector of fresh) this.#faults.add(selector);
    await this.#batch.apply(fresh.map((selector) => `rule add ${selector} blackhole pref 10`));
    return () => this.#lift(fresh);
  }

  async #lift(selectors: readonly string[]): Promise<void> {
    const standing = selectors.filter((selector) => this.#faults.delete(selector));
    await this.#batch.apply(standing.map((selector) => `rule del ${selector} blackhole pref 10`));
  }
}
