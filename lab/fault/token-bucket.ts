/**
 * Request throttling as EC2 does it: a token bucket per action, account and Region (EC2 developer guide, "Request throttling").
 *
 * Invariant: in any span of t seconds no more than burst + t × perS requests pass; a refused one takes no token.
 */
import type { AwsCall } from './aws-call.ts';

export interface BucketSize {
  readonly burst: number;
  readonly perS: number;
}

export interface TokenBucket {
  /** Takes a token if there is one. */
  take(nowMs: number): boolean;
}

export function tokenBucket({ burst, perS }: BucketSize): TokenBucket {
  let tokens = burst;
  let filledAtMs: number | undefined;
  return {
    take(nowMs) {
      const sinceMs = nowMs - (filledAtMs ?? nowMs);
      tokens = Math.min(burst, tokens + (sinceMs / 1000) * perS);
      filledAtMs = nowMs;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}

const mutation: BucketSize = { burst: 50, perS: 5 };
const read: BucketSize = { burst: 100, perS: 20 };
const unfilteredRead: BucketSize = { burst: 50, perS: 10 };

const sizes: Readonly<Record<string, BucketSize>> = {
  ReplaceRoute: mutation,
  CreateRoute: mutation,
  DeleteRoute: mutation,
  AssociateAddress: mutation,
  DisassociateAddress: mutation,
  ReplaceTransitGatewayRoute: mutation,
  ModifyNetworkInterfaceAttribute: { burst: 100, perS: 5 },
  DescribeRouteTables: read,
  DescribeAddresses: read,
  DescribeNetworkInterfaces: read,
  DescribeInstances: read,
};

/** Which bucket a call of EC2 draws from, and its size; undefined for actions that the guide does not list. */
export function ec2Bucket(call: AwsCall): { readonly name: string; readonly size: BucketSize } | undefined {
  const size = sizes[call.action];
  if (call.service !== 'ec2' || size === undefined) return undefined;
  const narrowed = Object.keys(call.parameters).some((name) =>
    /^(Filter\.|MaxResults$|NextToken$)/.test(name),
  );
  const ofTwoSizes = ['DescribeNetworkInterfaces', 'DescribeInstances'].includes(call.action);
  if (ofTwoSizes && !narrowed) return { name: `${call.action} unfiltered`, size: unfilteredRead };
  return { name: call.action, size };
}
