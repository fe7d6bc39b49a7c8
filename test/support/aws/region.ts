// A Region as EC2 shows it, for tests of what is read from it: things with the stage's tag in their VPCs.
import type { AwsCall } from '../../../lab/fault/aws-call.ts';
import type { Ec2Access } from '../../../shared/aws/ec2/access.ts';
import { tagKey } from '../../../shared/aws/tag-key.ts';
import { systemClock, systemNow } from '../../../shared/aws/wire.ts';
import { minutes, plus } from '../../../shared/time.ts';
import { ec2Lists, type List, type Thing, tags } from './ec2.ts';
import { type Answer, type Endpoint, startEndpoint, type Tree } from './endpoint.ts';

export const TAG = tagKey('dev');
export const OWNER = '111122223333';
const { signal } = new AbortController();

export type Fields = { readonly [name: string]: Tree };
export type Calls = Readonly<Record<string, (call: AwsCall) => Answer>>;

export interface Region {
  readonly access: Ec2Access;
  readonly endpoint: Endpoint;
}

/** `instead`: what some actions answer otherwise. */
export async function startRegion(
  things: Readonly<Partial<Record<List, readonly Thing[]>>>,
  instead: Calls = {},
): Promise<Region> {
  const answer = ec2Lists(things);
  const endpoint = await startEndpoint((call) => (instead[call.action] ?? answer)(call));
  const { reader, writer } = endpoint.clients;
  const clock = systemClock(plus(systemNow(), minutes(10)), signal);
  return { access: { reader, writer, tag: TAG, clock, signal }, endpoint };
}

/** A thing with the tag, in a VPC. */
const labelled = (label: string | undefined, vpc: string, is: Fields): Thing => ({
  by: { 'vpc-id': vpc, ...(label === undefined ? {} : { 'tag-key': TAG, [`tag:${TAG}`]: label }) },
  is: {
    vpcId: vpc,
    ownerId: OWNER,
    tagSet: tags({ Name: 'n', ...(label === undefined ? {} : { [TAG]: label }) }),
    ...is,
  },
});
export const table = (id: string, label: string | undefined, is: Fields = {}, vpc = 'vpc-1') =>
  labelled(label, vpc, { routeTableId: id, ...is });
export const eni = (id: string, label: string | undefined, is: Fields = {}, vpc = 'vpc-1'): Thing => {
  const thing = labelled(label, vpc, { networkInterfaceId: id, ...is });
  const node = (is.attachment as { instanceId?: string } | undefined)?.instanceId ?? [];
  return { ...thing, by: { ...thing.by, 'network-interface-id': id, 'attachment.instance-id': node } };
};
export const eip = (id: string, label: string | undefined, is: Fields = {}): Thing =>
  labelled(label, 'none', { allocationId: id, ...is });

export const attached = (instanceId: string, deviceIndex = 1): Tree => ({ instanceId, deviceIndex });
