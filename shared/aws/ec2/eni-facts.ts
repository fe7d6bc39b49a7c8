// What the doctor reads of ENIs, Elastic IPs and tags, once for all VIPs: every ENI of the VIPs' VPCs, what has the tag
// elsewhere, and all Elastic IPs. A mistyped key is seen only where everything is looked at.
import {
  type Address,
  DescribeAddressesCommand,
  type NetworkInterface,
  paginateDescribeNetworkInterfaces,
  paginateDescribeTags,
  type Tag,
} from '@aws-sdk/client-ec2';
import type { EipFact, EniFact, TaggedThing, TagSeen } from '../../doctor/facts.ts';
import { isNearKey } from '../../network/labels.ts';
import { defined, ifDefined } from '../../optional.ts';
import { collect } from '../pages.ts';
import { filter } from './access.ts';
import { ENIS_PER_PAGE } from './observe.ts';
import type { Ec2Reader } from './vpc.ts';

export async function enisIn(
  access: Ec2Reader,
  vpcs: readonly string[],
  tag: string,
): Promise<readonly EniFact[]> {
  const by = (filters: ReturnType<typeof filter>) =>
    collect(
      paginateDescribeNetworkInterfaces(
        { client: access.reader, pageSize: ENIS_PER_PAGE },
        { Filters: filters },
        { abortSignal: access.signal },
      ),
      (page) => page.NetworkInterfaces,
    );
  const [there, tagged] = await Promise.all([by(filter('vpc-id', vpcs)), by(filter('tag-key', [tag]))]);
  const byId = new Map([...tagged, ...there].map((eni) => [eni.NetworkInterfaceId!, eni]));
  return [...byId.values()].map((eni) => eniFact(eni, tag));
}

function eniFact(eni: NetworkInterface, tag: string): EniFact {
  const { InstanceId: node, DeviceIndex, Status: attachment } = eni.Attachment ?? {};
  const first = eni.PrivateIpAddresses?.find((address) => address.Primary === true);
  const association = eni.Association ?? first?.Association;
  return {
    eni: eni.NetworkInterfaceId!,
    ...defined({ node: node || undefined }),
    primary: DeviceIndex === 0,
    ...labels(eni.TagSet, tag),
    sourceDestCheck: eni.SourceDestCheck ?? true,
    subnet: eni.SubnetId ?? '',
    address: eni.PrivateIpAddress ?? '',
    groups: (eni.Groups ?? []).flatMap((g) => g.GroupId ?? []),
    ...defined({ status: eni.Status, attachment, zone: eni.AvailabilityZone, kind: eni.InterfaceType }),
    hasPublic: (association?.PublicIp ?? '') !== '',
    ipv6: (eni.Ipv6Addresses ?? []).flatMap((a) => a.Ipv6Address ?? []),
  };
}

/** The tag's value, and a tag whose key is nearly ours. */
function labels(tags: readonly Tag[] = [], tag: string): { label?: string; nearKey?: TagSeen } {
  const label = tags.find((t) => t.Key === tag)?.Value;
  const near = tags.find((t) => isNearKey(t.Key ?? '', tag));
  return defined({ label, nearKey: ifDefined(near, ({ Key, Value = '' }) => ({ key: Key!, value: Value })) });
}

/** All of the Region's, a handful by quota: one unknown id would fail a request that names it. */
export async function eipsIn(access: Ec2Reader, tag: string): Promise<readonly EipFact[]> {
  const reply = await access.reader.send(new DescribeAddressesCommand({}), { abortSignal: access.signal });
  return (reply.Addresses ?? []).flatMap((address) => eipFact(address, tag));
}

function eipFact(address: Address, tag: string): readonly EipFact[] {
  const { AllocationId: eip, NetworkInterfaceId, NetworkBorderGroup } = address;
  if (eip === undefined) return [];
  const more = { eni: NetworkInterfaceId || undefined, borderGroup: NetworkBorderGroup || undefined };
  return [{ eip, found: { ...labels(address.Tags, tag), ...defined(more) } }];
}

/** What has the tag although nothing reads it there. Instances may have it: the rejoin of a demoted node asks for it. */
export async function taggedElsewhere(access: Ec2Reader, tag: string): Promise<readonly TaggedThing[]> {
  const tags = await collect(
    paginateDescribeTags(
      { client: access.reader },
      { Filters: filter('key', [tag]) },
      { abortSignal: access.signal },
    ),
    (page) => page.Tags,
  );
  return tags.flatMap(({ ResourceId, ResourceType, Value = '' }) =>
    ResourceId === undefined || isRead.test(ResourceId)
      ? []
      : [{ id: ResourceId, kind: ResourceType ?? 'thing', value: Value }],
  );
}

const isRead = /^(rtb|eni|eipalloc|i)-/;
