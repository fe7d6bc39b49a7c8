// The default bus's events as hints: EC2's instance state changes, and EC2 calls that CloudTrail delivers. Whatever is
// none of them is no hint but the schedule, and all VIPs are reconciled.
//
// CloudTrail's requestParameters are EC2's query parameters in lower camel case (CloudTrail user guide, "record contents").
import * as z from 'zod/mini';
import type { Hint } from '../../controller/hint.ts';
import { epochMs } from '../../time.ts';
import { tagKey } from '../tag-key.ts';

const text = z.string().check(z.minLength(1), z.maxLength(2048));
const envelope = { id: text, time: z.iso.datetime() };

const stateChange = z.object({
  ...envelope,
  'detail-type': z.literal('EC2 Instance State-change Notification'),
  detail: z.object({ 'instance-id': text, state: text }),
});

const items = <T extends z.ZodMiniType>(item: T) => z.optional(z.object({ items: z.array(item) }));
const apiCall = z.object({
  ...envelope,
  'detail-type': z.literal('AWS API Call via CloudTrail'),
  detail: z.object({
    eventName: text,
    eventTime: z.optional(z.iso.datetime()),
    userIdentity: z.object({ arn: z.optional(text), invokedBy: z.optional(text) }),
    requestParameters: z.nullish(
      z.object({
        destinationCidrBlock: z.optional(text),
        destinationIpv6CidrBlock: z.optional(text),
        routeTableId: z.optional(text),
        allocationId: z.optional(text),
        networkInterfaceId: z.optional(text),
        resourcesSet: items(z.object({ resourceId: text })),
        tagSet: items(z.object({ key: text, value: z.optional(z.string()) })),
      }),
    ),
  }),
});

export function hintFrom(event: unknown, stage: string): Hint | undefined {
  const state = stateChange.safeParse(event);
  if (state.success) {
    const { detail, time } = state.data;
    return {
      kind: 'node',
      node: detail['instance-id'],
      state: detail.state,
      atMs: epochMs(Date.parse(time)),
    };
  }
  const call = apiCall.safeParse(event);
  return call.success ? changeFrom(call.data, stage) : undefined;
}

function changeFrom({ id, time, detail }: z.infer<typeof apiCall>, stage: string): Hint {
  const asked = detail.requestParameters ?? {};
  const present = (values: readonly (string | undefined)[]) => values.filter((v) => v !== undefined);
  return {
    kind: 'change',
    id,
    by: detail.userIdentity.arn ?? detail.userIdentity.invokedBy ?? 'a caller whom CloudTrail does not name',
    call: detail.eventName,
    destinations: present([asked.destinationCidrBlock, asked.destinationIpv6CidrBlock]),
    things: present([
      asked.routeTableId,
      asked.allocationId,
      asked.networkInterfaceId,
      ...(asked.resourcesSet?.items.map((i) => i.resourceId) ?? []),
    ]),
    labels: present((asked.tagSet?.items ?? []).filter((t) => t.key === tagKey(stage)).map((t) => t.value)),
    atMs: epochMs(Date.parse(detail.eventTime ?? time)),
  };
}
