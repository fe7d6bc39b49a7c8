// The probes of bench/live --assumptions, asked of the local AWS: they work, and they can fail.
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { expect, it } from 'vitest';
import { type Answer, answers } from '../../bench/assumptions.ts';
import { startLocalAws } from '../../lab/local-aws.ts';

it('answers one line for each assumption, and leaves nothing behind', async () => {
  await using aws = await startLocalAws();
  const access = {
    region: aws.region,
    credentials: { accessKeyId: aws.accountId, secretAccessKey: 'local' },
  };
  const ec2 = new EC2Client({ ...access, endpoint: aws.ec2Endpoint });
  const events = new EventBridgeClient({ ...access, endpoint: aws.endpoint });
  const found: Answer[] = [];
  for await (const answer of answers({ ec2, events, region: aws.region, eventsEndpoint: aws.endpoint }))
    found.push(answer);
  // The emulator evaluates no policies: the probe for the source has to find that out.
  expect(found.map((a) => a.verdict)).toEqual(['PASS', 'PASS', 'FAIL', 'PASS', 'SKIP', 'SKIP']);
  expect(found.filter((a) => a.found.includes('left behind'))).toEqual([]);
});
