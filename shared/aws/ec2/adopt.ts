// What adopting a hand-made set-up needs from EC2: the present routes to the addresses, and tagging.
import {
  CreateTagsCommand,
  paginateDescribeNetworkInterfaces,
  paginateDescribeRouteTables,
} from '@aws-sdk/client-ec2';
import { defined } from '../../optional.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';
import type { Ec2Reader } from './vpc.ts';

export interface HandMade {
  readonly table: string;
  /** The tag's value; undefined when it has none. */
  readonly label?: string;
  readonly address: string;
  readonly target: string;
  /** Associated with a gateway: not to be touched. */
  readonly edge: boolean;
}

export async function routesTo(
  { reader, signal }: Ec2Reader,
  vpc: string,
  addresses: readonly string[],
  tag: string,
): Promise<readonly HandMade[]> {
  const found: HandMade[] = [];
  try {
    const pages = paginateDescribeRouteTables(
      { client: reader, pageSize: 100 },
      { Filters: [{ Name: 'vpc-id', Values: [vpc] }] },
      { abortSignal: signal },
    );
    for (const table of await collect(pages, (page) => page.RouteTables)) {
      const label = table.Tags?.find((t) => t.Key === tag)?.Value;
      for (const route of table.Routes ?? []) {
        const address =
          route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock ?? route.DestinationPrefixListId ?? '';
        if (!addresses.includes(address)) continue;
        found.push({
          table: table.RouteTableId!,
          ...defined({ label }),
          address,
          target: route.NetworkInterfaceId ?? route.GatewayId ?? route.TransitGatewayId ?? 'unknown',
          edge: (table.Associations ?? []).some((a) => a.GatewayId !== undefined),
        });
      }
    }
  } catch (error) {
    throw faultFromSdkError(error, `looking for routes in ${vpc}`);
  }
  return found.sort((a, b) => (a.table + a.address < b.table + b.address ? -1 : 1));
}

export interface EniNamed {
  readonly eni: string;
  readonly vpc: string;
  /** The tag's value; undefined when it has none. */
  readonly label?: string;
  /** The instance that it is attached to. */
  readonly node?: string;
}

/** In the order asked; undefined where there is none. By filter: one unknown id would fail a request that names it. */
export async function enisNamed(
  { reader, signal }: Ec2Reader,
  ids: readonly string[],
  tag: string,
): Promise<readonly (EniNamed | undefined)[]> {
  if (ids.length === 0) return [];
  const found = new Map<string, EniNamed>();
  try {
    const pages = paginateDescribeNetworkInterfaces(
      { client: reader },
      { Filters: [{ Name: 'network-interface-id', Values: [...ids] }] },
      { abortSignal: signal },
    );
    for (const eni of await collect(pages, (page) => page.NetworkInterfaces)) {
      const label = eni.TagSet?.find((t) => t.Key === tag)?.Value;
      const node = eni.Attachment?.InstanceId;
      found.set(eni.NetworkInterfaceId!, {
        eni: eni.NetworkInterfaceId!,
        vpc: eni.VpcId ?? '',
        ...defined({ label, node }),
      });
    }
  } catch (error) {
    throw faultFromSdkError(error, 'looking up ENIs');
  }
  return ids.map((id) => found.get(id));
}

export async function tagAll(
  { reader, signal }: Ec2Reader,
  tag: string,
  labels: ReadonlyMap<string, string>,
): Promise<void> {
  try {
    for (const [id, Value] of labels) {
      const command = new CreateTagsCommand({ Resources: [id], Tags: [{ Key: tag, Value }] });
      await reader.send(command, { abortSignal: signal });
    }
  } catch (error) {
    throw faultFromSdkError(error, 'tagging');
  }
}
