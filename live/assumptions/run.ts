// The two assumptions that need instances that run: how soon EC2 says that one changed its state, and how soon packets follow a route.
// Four t4g.nano for a few minutes, without public addresses, roles or keys: what they find they say on their serial console.
//
// Limit: the delay after the acceptance compares two clocks (Amazon Time Sync's and this machine's); the gap is of one clock.
import {
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  DeleteResourcePolicyCommand,
  FilterLogEventsCommand,
  PutResourcePolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateRouteCommand,
  DescribeImagesCommand,
  DescribeRouteTablesCommand,
  type EC2Client,
  GetConsoleOutputCommand,
  ModifyNetworkInterfaceAttributeCommand,
  ReplaceRouteCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
  waitUntilInstanceRunning,
  waitUntilInstanceTerminated,
} from '@aws-sdk/client-ec2';
import {
  DeleteRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  type Account,
  ADDRESS,
  fail,
  name,
  network,
  type Probe,
  pass,
  skip,
  type Undo,
  until,
} from './questions.ts';
import { type Part, PORT, readSwitch, script } from './script.ts';

/** A state change that is reported later than this shortens no outage worth speaking of. */
const REPORTED_WITHIN_MS = 10_000;
/** Packets that follow later than this would be the largest part of an outage. */
const FOLLOW_WITHIN_MS = 1_000;
export const BOOT_MAX_S = 180;
const END_MAX_S = 180;

/** Amazon Linux 2023, minimal; undefined where there is none, as on a local AWS. */
export async function image(ec2: EC2Client): Promise<string | undefined> {
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({
      Owners: ['amazon'],
      Filters: [
        { Name: 'name', Values: ['al2023-ami-minimal-2023.*-arm64'] },
        { Name: 'state', Values: ['available'] },
      ],
    }),
  );
  return Images.toSorted((a, b) => (a.CreationDate! < b.CreationDate! ? 1 : -1))[0]?.ImageId;
}
export const noImage = () => skip('no image of Amazon Linux 2023 here, so no instance can run');

interface Running {
  readonly id: string;
  readonly eni: string;
}

interface Launch {
  readonly ImageId: string;
  readonly SubnetId: string;
  /** What cloud-init runs. */
  readonly script: string;
  /** Its role; it then has a public address as well, to use it. */
  readonly InstanceProfile?: string;
}

export async function launch(
  { ec2 }: Account,
  undo: Undo,
  { ImageId, SubnetId, script: userData, InstanceProfile }: Launch,
): Promise<Running> {
  const { Instances } = await ec2.send(
    new RunInstancesCommand({
      ...{ ImageId, InstanceType: 't4g.nano', MinCount: 1, MaxCount: 1 },
      ...(InstanceProfile === undefined
        ? { SubnetId }
        : {
            IamInstanceProfile: { Name: InstanceProfile },
            NetworkInterfaces: [{ DeviceIndex: 0, SubnetId, AssociatePublicIpAddress: true }],
          }),
      UserData: Buffer.from(userData).toString('base64'),
      // An hour, should this program die: the script ends the machine itself.
      InstanceInitiatedShutdownBehavior: 'terminate',
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: name }] }],
    }),
  );
  const id = Instances![0]!.InstanceId!;
  undo(async () => {
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await waitUntilInstanceTerminated({ client: ec2, maxWaitTime: END_MAX_S }, { InstanceIds: [id] });
  });
  return { id, eni: Instances![0]!.NetworkInterfaces![0]!.NetworkInterfaceId! };
}

/** A log group that the default bus writes EC2's state changes into. */
async function stateChanges({ logs, events, region }: Account, undo: Undo): Promise<string> {
  const logGroupName = `/aws/events/${name}`;
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  undo(() => logs.send(new DeleteLogGroupCommand({ logGroupName })));
  const policyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: {
      ...{ Effect: 'Allow', Principal: { Service: ['events.amazonaws.com', 'delivery.logs.amazonaws.com'] } },
      ...{ Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: '*' },
    },
  });
  await logs.send(new PutResourcePolicyCommand({ policyName: name, policyDocument }));
  undo(() => logs.send(new DeleteResourcePolicyCommand({ policyName: name })));
  const EventPattern = JSON.stringify({
    source: ['aws.ec2'],
    'detail-type': ['EC2 Instance State-change Notification'],
  });
  const { RuleArn } = await events.send(new PutRuleCommand({ Name: name, EventPattern }));
  undo(() => events.send(new DeleteRuleCommand({ Name: name })));
  const [, partition, , , account] = RuleArn!.split(':');
  const Arn = `arn:${partition}:logs:${region}:${account}:log-group:${logGroupName}`;
  await events.send(new PutTargetsCommand({ Rule: name, Targets: [{ Id: 'log', Arn }] }));
  undo(() => events.send(new RemoveTargetsCommand({ Rule: name, Ids: ['log'] })));
  return logGroupName;
}

const stateChange: Probe = {
  what: `EC2 reports within ${REPORTED_WITHIN_MS / 1000} s that an instance changed its state`,
  async ask(account, undo) {
    const ImageId = await image(account.ec2);
    if (ImageId === undefined) return noImage();
    const logGroupName = await stateChanges(account, undo);
    const { subnet } = await network(account, undo);
    const { id } = await launch(account, undo, {
      ImageId,
      SubnetId: subnet,
      script: script('idle', ADDRESS),
    });
    const found = await until(account, BOOT_MAX_S, async () => {
      const asked = { logGroupName, filterPattern: `"${id}" "running"` };
      return (await account.logs.send(new FilterLogEventsCommand(asked))).events?.[0];
    });
    if (found === undefined) return fail(`no event for ${id} within ${BOOT_MAX_S} s`);
    const { time } = JSON.parse(found.message!) as { time: string };
    const tookMs = found.ingestionTime! - Date.parse(time);
    const finding = `"running" was in the log ${tookMs} ms after EC2’s stamp, which is of whole seconds`;
    return tookMs <= REPORTED_WITHIN_MS ? pass(finding) : fail(finding);
  },
};

export async function consoleOf({ ec2 }: Account, InstanceId: string): Promise<string> {
  const { Output = '' } = await ec2.send(new GetConsoleOutputCommand({ InstanceId, Latest: true }));
  return Buffer.from(Output, 'base64').toString('utf8');
}

const dataPlane: Probe = {
  what: `packets follow an accepted ReplaceRoute within ${FOLLOW_WITHIN_MS / 1000} s`,
  async ask(account, undo) {
    const { ec2 } = account;
    const ImageId = await image(ec2);
    if (ImageId === undefined) return noImage();
    const { VpcId, subnet } = await network(account, undo);
    const parts: readonly Part[] = ['a', 'b', 'client'];
    const running: Running[] = [];
    // One after the other: when one is refused, no other one is on its way.
    for (const part of parts)
      running.push(await launch(account, undo, { ImageId, SubnetId: subnet, script: script(part, ADDRESS) }));
    const [a, b, client] = running;
    await waitUntilInstanceRunning(
      { client: ec2, maxWaitTime: BOOT_MAX_S, abortSignal: account.signal },
      { InstanceIds: [a!.id, b!.id, client!.id] },
    );
    for (const { eni } of [a!, b!]) {
      const off = { NetworkInterfaceId: eni, SourceDestCheck: { Value: false } };
      await ec2.send(new ModifyNetworkInterfaceAttributeCommand(off));
    }
    const main = [
      { Name: 'vpc-id', Values: [VpcId] },
      { Name: 'association.main', Values: ['true'] },
    ];
    const { RouteTables } = await ec2.send(new DescribeRouteTablesCommand({ Filters: main }));
    const route = { RouteTableId: RouteTables![0]!.RouteTableId!, DestinationCidrBlock: ADDRESS };
    await ec2.send(new CreateRouteCommand({ ...route, NetworkInterfaceId: a!.eni }));
    const said = (word: string) =>
      until(account, BOOT_MAX_S, async () => {
        const text = await consoleOf(account, client!.id);
        return text.includes(word) ? text : undefined;
      });
    if ((await said('VIPSHIFT ready')) === undefined)
      return fail(`the client got no answer from a over UDP port ${PORT} within ${BOOT_MAX_S} s`);
    await ec2.send(new ReplaceRouteCommand({ ...route, NetworkInterfaceId: b!.eni }));
    const acceptedAtMs = Date.now();
    const text = await said('VIPSHIFT switched');
    const seen = text === undefined ? undefined : readSwitch(text);
    if (seen === undefined) return fail('no packet reached the new target');
    const afterMs = Math.round(seen.firstNewMs - acceptedAtMs);
    const finding = `${seen.gapMs} ms between the last answer of the old and the first of the new target, ${afterMs} ms after the acceptance (two clocks)`;
    return Math.max(seen.gapMs, afterMs) <= FOLLOW_WITHIN_MS ? pass(finding) : fail(finding);
  },
};

export const runningProbes: readonly Probe[] = [stateChange, dataPlane];
