// What AWS's own events say, field by field.
import { describe, expect, it } from 'vitest';
import { hintFrom } from '../../../../shared/aws/events/hint-event.ts';

const at = (text: string) => Date.parse(text);
const base = { id: 'e-1', time: '2026-11-22T14:00:05Z', source: 'aws.ec2' };
const call = (detail: object) => ({ ...base, 'detail-type': 'AWS API Call via CloudTrail', detail });
const by = { userIdentity: { arn: 'arn:ann', invokedBy: 'autoscaling.amazonaws.com' } };

describe('an instance that changes its state', () => {
  it('is a hint of the node, dated by the event', () => {
    const event = {
      ...base,
      'detail-type': 'EC2 Instance State-change Notification',
      detail: { 'instance-id': 'i-1', state: 'stopping' },
    };
    expect(hintFrom(event, 'dev')).toEqual({
      kind: 'node',
      node: 'i-1',
      state: 'stopping',
      atMs: at(base.time),
    });
  });
});

describe('a call that CloudTrail delivers', () => {
  it('is a change with everything that it names', () => {
    const requestParameters = {
      ...{ destinationCidrBlock: '192.0.2.1/32', destinationIpv6CidrBlock: '2001:db8::1/128' },
      ...{ routeTableId: 'rtb-1', allocationId: 'eipalloc-1', networkInterfaceId: 'eni-1' },
      resourcesSet: { items: [{ resourceId: 'rtb-2' }, { resourceId: 'eni-2' }] },
      tagSet: {
        items: [
          { key: 'vipshift:dev', value: 'web' },
          { key: 'vipshift:prod', value: 'other' },
          { key: 'Name', value: 'n' },
          { key: 'vipshift:dev' },
        ],
      },
    };
    expect(
      hintFrom(
        call({ eventName: 'ReplaceRoute', eventTime: '2026-11-22T13:59:00Z', ...by, requestParameters }),
        'dev',
      ),
    ).toEqual({
      ...{ kind: 'change', id: 'e-1', by: 'arn:ann', call: 'ReplaceRoute', atMs: at('2026-11-22T13:59:00Z') },
      destinations: ['192.0.2.1/32', '2001:db8::1/128'],
      things: ['rtb-1', 'eipalloc-1', 'eni-1', 'rtb-2', 'eni-2'],
      labels: ['web'],
    });
  });

  it.each([
    ['arn:ann', by.userIdentity],
    ['autoscaling.amazonaws.com', { invokedBy: 'autoscaling.amazonaws.com' }],
    ['a caller whom CloudTrail does not name', {}],
  ])('is by %s', (who, userIdentity) => {
    const hint = hintFrom(call({ eventName: 'DeleteTags', userIdentity, requestParameters: null }), 'dev');
    expect(hint).toMatchObject({ by: who, destinations: [], things: [], labels: [], atMs: at(base.time) });
  });
});

it('anything else is no hint: the schedule, a call without a caller, a state without an instance', () => {
  const events = [
    {},
    { ...base, 'detail-type': 'Scheduled Event', detail: {} },
    call({ eventName: 'x' }),
    undefined,
  ];
  expect(events.map((event) => hintFrom(event, 'dev'))).toEqual(events.map(() => undefined));
});
