// EC2 for the benchmark: labelled tables, ENIs and Elastic IPs of one VPC, found by tag in pages, changed by ReplaceRoute, CreateRoute
// and AssociateAddress. Whole tables come back, each with some routes besides, as EC2 gives them.
//
// Limit: no refusal but the missing route; what the real one refuses is tested on moto.

export interface FakeEc2 {
  /** The XML of the answer, or the code of a refusal. */
  answer(
    action: string,
    parameters: Readonly<Record<string, string>>,
  ): { readonly xml: string } | { readonly code: string };
  clear(): void;
  /** A VIP's tables, all pointing to `eni`, and its two nodes. */
  build(vip: FakeVip): void;
}

export interface FakeVip {
  readonly label: string;
  readonly tables: readonly string[];
  readonly destinations: readonly string[];
  readonly nodes: readonly { readonly node: string; readonly eni: string; readonly address: string }[];
  readonly eips: readonly string[];
}

interface Table {
  readonly id: string;
  readonly label: string;
  readonly routes: Map<string, string>;
}

const account = '111122223333';
const vpc = 'vpc-bench';
const otherRoutes = 4;

export function fakeEc2(tagKey: string): FakeEc2 {
  const tables = new Map<string, Table>();
  const enis: {
    readonly id: string;
    readonly label: string;
    readonly node: string;
    readonly address: string;
  }[] = [];
  const eips = new Map<string, { readonly label: string; eni?: string; address?: string }>();
  const describe: Readonly<Record<string, (wanted: Wanted) => string>> = {
    DescribeRouteTables: (wanted) =>
      paged(wanted, [...tables.values()], 'routeTableSet', (t) => tableXml(t, tagKey)),
    DescribeNetworkInterfaces: (wanted) =>
      paged(wanted, enis, 'networkInterfaceSet', (e) => eniXml(e, tagKey)),
    DescribeAddresses: (wanted) =>
      paged(
        wanted,
        [...eips].map(([id, eip]) => ({ id, ...eip })),
        'addressesSet',
        eipXml,
      ),
    // Nothing is scheduled for any instance.
    DescribeInstanceStatus: () => '<instanceStatusSet/>',
  };
  return {
    clear() {
      tables.clear();
      enis.length = 0;
      eips.clear();
    },
    build({ label, destinations, nodes, ...vip }) {
      for (const id of vip.tables) {
        tables.set(id, { id, label, routes: new Map(destinations.map((d) => [d, nodes[0]!.eni])) });
      }
      for (const { node, eni, address } of nodes) enis.push({ id: eni, label, node, address });
      for (const id of vip.eips) eips.set(id, { label });
    },
    answer(action, parameters) {
      const looking = describe[action];
      if (looking !== undefined) return { xml: response(action, looking(wantedOf(parameters))) };
      if (action === 'AssociateAddress') {
        const eip = eips.get(parameters.AllocationId!)!;
        Object.assign(eip, { eni: parameters.NetworkInterfaceId, address: parameters.PrivateIpAddress });
        return { xml: response(action, '<return>true</return><associationId>eipassoc-1</associationId>') };
      }
      if (action !== 'ReplaceRoute' && action !== 'CreateRoute')
        throw new TypeError(`the fake has no EC2 ${action}`);
      const destination =
        parameters.DestinationCidrBlock ??
        parameters.DestinationIpv6CidrBlock ??
        parameters.DestinationPrefixListId!;
      const routes = tables.get(parameters.RouteTableId!)!.routes;
      if (action === 'ReplaceRoute' && !routes.has(destination)) return { code: 'InvalidRoute.NotFound' };
      routes.set(destination, parameters.NetworkInterfaceId!);
      return { xml: response(action, '<return>true</return>') };
    },
  };
}

interface Wanted {
  /** Undefined: no filter by tag, everything. */
  readonly labels: ReadonlySet<string> | undefined;
  readonly from: number;
  readonly count: number;
}

function wantedOf(parameters: Readonly<Record<string, string>>): Wanted {
  const tag = Object.keys(parameters).find(
    (name) => /^Filter\.\d+\.Name$/.test(name) && parameters[name]!.startsWith('tag:'),
  );
  const prefix = tag?.replace('Name', 'Value.');
  const labels = Object.keys(parameters).filter((name) => prefix !== undefined && name.startsWith(prefix));
  return {
    labels: prefix === undefined ? undefined : new Set(labels.map((name) => parameters[name]!)),
    from: Number(parameters.NextToken ?? 0),
    count: Number(parameters.MaxResults ?? Number.POSITIVE_INFINITY),
  };
}

function paged<T extends { readonly label: string }>(
  { labels, from, count }: Wanted,
  things: readonly T[],
  set: string,
  xml: (thing: T) => string,
): string {
  const labelled = labels === undefined ? things : things.filter((thing) => labels.has(thing.label));
  const more = from + count < labelled.length ? `<nextToken>${from + count}</nextToken>` : '';
  return `<${set}>${labelled
    .slice(from, from + count)
    .map(xml)
    .join('')}</${set}>${more}`;
}

const response = (action: string, inner: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>bench</requestId>${inner}</${action}Response>`;

const tags = (key: string, label: string): string =>
  `<tagSet><item><key>${key}</key><value>${label}</value></item><item><key>Name</key><value>bench</value></item></tagSet>`;

function tableXml({ id, label, routes }: Table, tagKey: string): string {
  const others = Array.from(
    { length: otherRoutes },
    (_, n) =>
      `<item><destinationCidrBlock>10.${n}.0.0/16</destinationCidrBlock><gatewayId>${n === 0 ? 'local' : 'tgw-1'}</gatewayId><state>active</state><origin>CreateRoute</origin></item>`,
  );
  const own = [...routes].map(
    ([destination, eni]) =>
      `<item><${destinationTag(destination)}>${destination}</${destinationTag(destination)}><networkInterfaceId>${eni}</networkInterfaceId><state>active</state><origin>CreateRoute</origin></item>`,
  );
  return `<item><routeTableId>${id}</routeTableId><vpcId>${vpc}</vpcId><ownerId>${account}</ownerId><routeSet>${others.join('')}${own.join('')}</routeSet><associationSet><item><routeTableAssociationId>rtbassoc-1</routeTableAssociationId><routeTableId>${id}</routeTableId><subnetId>subnet-1</subnetId><main>false</main></item></associationSet>${tags(tagKey, label)}</item>`;
}

const destinationTag = (destination: string): string =>
  destination.startsWith('pl-')
    ? 'destinationPrefixListId'
    : destination.includes(':')
      ? 'destinationIpv6CidrBlock'
      : 'destinationCidrBlock';

const eniXml = (
  eni: { readonly id: string; readonly label: string; readonly node: string; readonly address: string },
  tagKey: string,
): string =>
  `<item><networkInterfaceId>${eni.id}</networkInterfaceId><vpcId>${vpc}</vpcId><ownerId>${account}</ownerId><availabilityZone>eu-central-1a</availabilityZone><sourceDestCheck>false</sourceDestCheck><privateIpAddress>${eni.address}</privateIpAddress><attachment><attachmentId>eni-attach-1</attachmentId><instanceId>${eni.node}</instanceId><deviceIndex>1</deviceIndex><status>attached</status></attachment>${tags(tagKey, eni.label)}<privateIpAddressesSet><item><privateIpAddress>${eni.address}</privateIpAddress><primary>true</primary></item></privateIpAddressesSet></item>`;

const eipXml = (eip: { readonly id: string; readonly eni?: string; readonly address?: string }): string =>
  `<item><publicIp>203.0.113.10</publicIp><allocationId>${eip.id}</allocationId><domain>vpc</domain>${eip.eni === undefined ? '' : `<networkInterfaceId>${eip.eni}</networkInterfaceId><privateIpAddress>${eip.address}</privateIpAddress>`}</item>`;
