// What EC2's own credentials show at PutEvents: an instance with a role of its own sends to two buses, each of which refuses a claim without
// one of the two keys that resources/policies/bus-policy.ts may ask for.
//
// It needs a way to EventBridge, so its subnet has a gateway and it has a public address; nothing can reach it, and it says what it was
// answered on its serial console.
import {
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateRouteCommand,
  DeleteInternetGatewayCommand,
  DescribeRouteTablesCommand,
  DetachInternetGatewayCommand,
} from '@aws-sdk/client-ec2';
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  DeleteInstanceProfileCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  PutRolePolicyCommand,
  RemoveRoleFromInstanceProfileCommand,
} from '@aws-sdk/client-iam';
import { type InstanceKey, instanceKeys, onlyInstances } from '../../resources/policies/bus-policy.ts';
import { rights, trustIn } from '../build/node-role.ts';
import { busWith } from './bus.ts';
import { type Account, fail, name, network, type Probe, pass, type Undo, until } from './questions.ts';
import { BOOT_MAX_S, consoleOf, image, launch, noImage } from './run.ts';
import { keysScript, readKeys } from './script.ts';

const keys = Object.keys(instanceKeys) as readonly InstanceKey[];
/** A new instance profile is known to EC2 after some seconds. */
const PROFILE_MAX_S = 60;

export const instanceCredentials: Probe = {
  what: 'EC2’s own credentials show at PutEvents that they are an instance’s (instanceCredentials)',
  async ask(account, undo) {
    const ImageId = await image(account.ec2);
    if (ImageId === undefined) return noImage();
    const buses: { readonly Name: string; readonly arn: string }[] = [];
    for (const key of keys)
      buses.push(
        await busWith(account.events, undo, { suffix: key, policy: (bus) => [onlyInstances(bus, key)] }),
      );
    const InstanceProfile = await profile(
      account,
      undo,
      buses.map(({ arn }) => arn),
    );
    const SubnetId = await publicSubnet(account, undo);
    const script = keysScript({
      buses: buses.map(({ Name }) => Name),
      endpoint: account.eventsEndpoint,
      stsEndpoint: account.stsEndpoint,
      region: account.region,
    });
    let last: unknown;
    const running = await until(account, PROFILE_MAX_S, () =>
      launch(account, undo, { ImageId, SubnetId, script, InstanceProfile }).catch((error: unknown) => {
        last = error;
        return undefined;
      }),
    );
    if (running === undefined) throw last;
    const seen = await until(account, BOOT_MAX_S, async () => readKeys(await consoleOf(account, running.id)));
    if (seen === undefined) return fail(`the instance said nothing within ${BOOT_MAX_S} s`);
    const told = keys.map((key, at) => `${instanceKeys[key]}: ${seen[at]}`).join(', ');
    const usable = keys.filter((_, at) => seen[at] === 'accepted');
    return usable.length > 0
      ? pass(`${told}; use instanceCredentials=${usable.join(' or ')}`)
      : fail(`${told}; leave instanceCredentials at any`);
  },
};

/** Of a role that may say its own state on these buses. */
async function profile({ iam, region }: Account, undo: Undo, buses: readonly string[]): Promise<string> {
  const RoleName = `${name}-keys`;
  const PolicyName = 'probe';
  const AssumeRolePolicyDocument = JSON.stringify(trustIn(region));
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  undo(() => iam.send(new DeleteRoleCommand({ RoleName })));
  const PolicyDocument = JSON.stringify(rights({ bus: [...buses] }));
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
  undo(() => iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName })));
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: RoleName }));
  undo(() => iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName: RoleName })));
  await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: RoleName, RoleName }));
  undo(() => iam.send(new RemoveRoleFromInstanceProfileCommand({ InstanceProfileName: RoleName, RoleName })));
  return RoleName;
}

async function publicSubnet(account: Account, undo: Undo): Promise<string> {
  const { ec2 } = account;
  const { VpcId, subnet } = await network(account, undo);
  const { InternetGateway } = await ec2.send(new CreateInternetGatewayCommand({}));
  const InternetGatewayId = InternetGateway!.InternetGatewayId!;
  undo(() => ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId })));
  await ec2.send(new AttachInternetGatewayCommand({ InternetGatewayId, VpcId }));
  undo(() => ec2.send(new DetachInternetGatewayCommand({ InternetGatewayId, VpcId })));
  const Filters = [{ Name: 'vpc-id', Values: [VpcId] }];
  const { RouteTables } = await ec2.send(new DescribeRouteTablesCommand({ Filters }));
  const RouteTableId = RouteTables![0]!.RouteTableId!;
  const DestinationCidrBlock = '0.0.0.0/0';
  await ec2.send(
    new CreateRouteCommand({ RouteTableId, DestinationCidrBlock, GatewayId: InternetGatewayId }),
  );
  return subnet;
}
