// Events as AWS delivers them, from the samples of its guides, for tests.
export const NODE = 'i-1234567890abcdef0';

type Json = Record<string, unknown>;
const envelope = (source: string, type: string, detail: Json): Json => ({
  ...{ version: '0', id: '12345678-1234-1234-1234-123456789012', 'detail-type': type, source },
  ...{ account: '123456789012', time: '2026-11-30T02:00:00Z', region: 'us-east-2' },
  // A recorded one has a zone for the Region, and no account.
  ...{ resources: [`arn:aws:ec2:us-east-1b:instance/${NODE}`], detail },
});

export const spotWarning = (detail: Json = {}): Json =>
  envelope('aws.ec2', 'EC2 Spot Instance Interruption Warning', {
    ...{ 'instance-id': NODE, 'instance-action': 'terminate', ...detail },
  });

export const rebalanceAdvice = (): Json =>
  envelope('aws.ec2', 'EC2 Instance Rebalance Recommendation', { 'instance-id': NODE });

export const healthEvent = (detail: Json = {}): Json =>
  envelope('aws.health', 'AWS Health Event', {
    eventArn: 'arn:aws:health:us-east-2::event/AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED_9035',
    service: 'EC2',
    eventTypeCode: 'AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED',
    eventTypeCategory: 'scheduledChange',
    eventScopeCode: 'ACCOUNT_SPECIFIC',
    communicationId: '1234abc01232a4012345678-1',
    startTime: 'Tue, 15 Dec 2026 13:19:03 GMT',
    statusCode: 'upcoming',
    eventRegion: 'us-east-2',
    eventDescription: [{ language: 'en_US', latestDescription: '…' }],
    affectedEntities: [
      { entityValue: `arn:aws:ec2:us-east-2:123456789012:instance/${NODE}`, status: 'PENDING' },
    ],
    affectedAccount: '123456789012',
    ...{ page: '1', totalPages: '1', backupEvent: 'false', personas: ['OPERATIONS'] },
    ...detail,
  });

export const listedEvent = (detail: Json = {}): Json =>
  envelope('vipshift.controller', 'VIP Node Warned', {
    ...{ version: 1, node: NODE, code: 'system-reboot', description: 'scheduled reboot' },
    notBeforeMs: Date.parse('2026-12-15T13:19:03Z'),
    ...detail,
  });
