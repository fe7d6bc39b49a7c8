// What registering a VIP needs to know of EC2 besides the labelled things: the VPC with all its CIDRs and its owner,
// and which allocation a public address has.
import {
  DescribeAddressesCommand,
  DescribeVpcsCommand,
  type EC2Client,
  paginateGetManagedPrefixListEntries,
  type Vpc,
} from '@aws-sdk/client-ec2';
import { defined } from '../../optional.ts';
import type { VpcSeen } from '../../registry/validate.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';

export interface Ec2Reader {
  readonly reader: EC2Client;
  readonly signal: AbortSignal;
}

/** Undefined when there is no such VPC. */
export async function vpcSeen({ reader, signal }: Ec2Reader, vpc: string): Promise<VpcSeen | undefined> {
  try {
    const reply = await reader.send(new DescribeVpcsCommand({ VpcIds: [vpc] }), { abortSignal: signal });
    const [found] = reply.Vpcs ?? [];
    return found === undefined ? undefined : vpcFrom(found);
  } catch (error) {
    if ((error as Error).name === 'InvalidVpcID.NotFound') return undefined;
    throw faultFromSdkError(error, `looking up ${vpc}`);
  }
}

/** The primary CIDR first. A CIDR that is being taken away still counts: it is not gone yet. */
function vpcFrom(vpc: Vpc): VpcSeen {
  const gone = new Set(['disassociated', 'failed']);
  const secondary = (vpc.CidrBlockAssociationSet ?? [])
    .filter((a) => !gone.has(a.CidrBlockState?.State ?? ''))
    .map((a) => a.CidrBlock);
  const six = (vpc.Ipv6CidrBlockAssociationSet ?? [])
    .filter((a) => !gone.has(a.Ipv6CidrBlockState?.State ?? ''))
    .map((a) => a.Ipv6CidrBlock);
  const cidrs = [vpc.CidrBlock, ...secondary, ...six].filter((c): c is string => c !== undefined && c !== '');
  return { vpc: vpc.VpcId!, account: vpc.OwnerId ?? '', cidrs: [...new Set(cidrs)] };
}

/** The ranges of a managed prefix list; undefined when there is none of that id. */
export async function prefixListEntries(
  { reader, signal }: Ec2Reader,
  list: string,
): Promise<readonly string[] | undefined> {
  try {
    const pages = paginateGetManagedPrefixListEntries(
      { client: reader },
      { PrefixListId: list },
      { abortSignal: signal },
    );
    return await collect(pages, ({ Entries }) => (Entries ?? []).flatMap((e) => e.Cidr ?? []));
  } catch (error) {
    const fault = faultFromSdkError(error, `looking up ${list}`);
    if (fault.kind === 'gone') return undefined;
    throw fault;
  }
}

export interface EipFound {
  readonly eip: string;
  readonly publicAddress: string;
  readonly label?: string;
  readonly eni?: string;
}

/** By allocation id or public address, in the order asked; undefined where there is none. */
export async function eipsFound(
  access: Ec2Reader,
  ids: readonly string[],
  tag: string,
): Promise<readonly (EipFound | undefined)[]> {
  if (ids.length === 0) return [];
  try {
    // All of the Region's, a handful by quota: one unknown id would fail a request that names it.
    const reply = await access.reader.send(new DescribeAddressesCommand({}), { abortSignal: access.signal });
    return ids.map((id) => {
      const found = (reply.Addresses ?? []).find((a) => a.AllocationId === id || a.PublicIp === id);
      if (found === undefined) return undefined;
      const label = found.Tags?.find((t) => t.Key === tag)?.Value;
      return {
        eip: found.AllocationId!,
        publicAddress: found.PublicIp ?? '',
        ...defined({ label, eni: found.NetworkInterfaceId }),
      };
    });
  } catch (error) {
    throw faultFromSdkError(error, 'looking up Elastic IPs');
  }
}
