/** EC2 refuses every mutation with RequestLimitExceeded for 2 s, as when someone else has emptied the account's bucket. */
import type { Scenario } from '../netns/scenario/scenario.ts';

const REFUSAL =
  '<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>RequestLimitExceeded</Code>' +
  '<Message>Request limit exceeded.</Message></Error></Errors><RequestID>lab</RequestID></Response>';

export const ec2Throttles: Scenario = {
  name: 'ec2-throttles',
  says: 'EC2 throttles every mutation for 2 s: the switch is paced, not given up',
  hold: 'both',
  asks: 'vip',
  ends: { owner: 'b', longestOutageMs: 6_000, splitBrain: 'never', settlesWithinMs: 20_000 },
  async run(context) {
    const { ec2 } = context.cloud;
    const open = ec2.gate;
    let refused = 0;
    ec2.gate = ({ action }) => {
      if (action !== 'ReplaceRoute' && action !== 'AssociateAddress') return 'pass';
      refused += 1;
      return { status: 503, body: REFUSAL };
    };
    await context.hostDies('a');
    await context.until('EC2 to refuse a mutation', () => refused > 0, 5_000);
    await context.pause(2_000);
    ec2.gate = open;
  },
};
