// Faults of a member as the next owner, seeded for the doctor: what would only show when the VIP goes there.
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  AuthorizeSecurityGroupEgressCommand,
  CreateRouteCommand,
  DeleteRouteCommand,
  DisassociateAddressCommand,
  type IpPermission,
  ReleaseAddressCommand,
  ReplaceRouteCommand,
  RevokeSecurityGroupEgressCommand,
  StartInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { epochMs } from '../../../../shared/time.ts';
import { newVip } from '../../../../shared/vip/vip.ts';
import type { Setup } from '../setup.ts';
import { a, b, type Seed } from './seeds.ts';

const everything: IpPermission = { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] };

/** The EIP lies elsewhere; reconcile would bring it back. */
const eipAt = (fault: string, check: string, remedy: RegExp, move: (s: Setup) => Promise<unknown>): Seed => ({
  fault,
  check,
  remedy,
  async seed(s) {
    await move(s);
    return { subject: s.stack.vpc.eip.allocationId, undo: () => put(s, a(s).eipEni) };
  },
});

const put = (s: Setup, NetworkInterfaceId: string) =>
  s.send(
    new AssociateAddressCommand({
      AllocationId: s.stack.vpc.eip.allocationId,
      NetworkInterfaceId,
      AllowReassociation: true,
    }),
  );

export const memberFaults: readonly Seed[] = [
  {
    fault: 'a standby that is stopped',
    check: 'node-not-running',
    remedy: /^aws ec2 start-instances --instance-ids i-\w+ --region eu-central-1$/,
    async seed(s) {
      const InstanceIds = [b(s).instanceId];
      await s.send(new StopInstancesCommand({ InstanceIds }));
      return { subject: b(s).instanceId, undo: () => s.send(new StartInstancesCommand({ InstanceIds })) };
    },
  },
  {
    fault: 'a standby whose subnet has no way out',
    check: 'bus-way',
    remedy:
      /^aws ec2 create-route --route-table-id rtb-\w+ --destination-cidr-block 0\.0\.0\.0\/0 --gateway-id igw-/,
    async seed(s) {
      const cell = { RouteTableId: s.table('nodes-b'), DestinationCidrBlock: '0.0.0.0/0' };
      await s.send(new DeleteRouteCommand(cell));
      return {
        subject: b(s).instanceId,
        undo: () =>
          s
            .send(new CreateRouteCommand({ ...cell, GatewayId: s.stack.vpc.internetGatewayId }))
            .catch(() => undefined),
      };
    },
  },
  {
    fault: 'a security group that lets VRRP in, not out',
    check: 'group-vrrp-out',
    remedy: /^aws ec2 authorize-security-group-egress --group-id sg-\w+ --ip-permissions IpProtocol=112,/,
    async seed(s) {
      const { group: GroupId } = s;
      const tcp = { IpProtocol: 'tcp', FromPort: 0, ToPort: 65_535, IpRanges: [{ CidrIp: '0.0.0.0/0' }] };
      await s.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: [everything] }));
      await s.send(new AuthorizeSecurityGroupEgressCommand({ GroupId, IpPermissions: [tcp] }));
      return {
        subject: a(s).instanceId,
        async undo() {
          await s.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: [tcp] }));
          await s.send(new AuthorizeSecurityGroupEgressCommand({ GroupId, IpPermissions: [everything] }));
        },
      };
    },
  },
  {
    fault: 'one table that points to the standby',
    check: 'route-drift',
    remedy: /^aws ec2 replace-route --route-table-id rtb-/,
    async seed(s) {
      const cell = { RouteTableId: s.table('clients-b'), DestinationCidrBlock: s.stack.vpc.vip.ipv4 };
      await s.send(new ReplaceRouteCommand({ ...cell, NetworkInterfaceId: b(s).serviceEni }));
      return {
        subject: `${cell.RouteTableId} ${cell.DestinationCidrBlock}`,
        undo: () => s.send(new ReplaceRouteCommand({ ...cell, NetworkInterfaceId: a(s).serviceEni })),
      };
    },
  },
  eipAt('an EIP that is associated with nothing', 'eip-drift', /associate-address --allocation-id/, (s) =>
    s.send(new DisassociateAddressCommand({ PublicIp: s.stack.vpc.eip.publicIp })),
  ),
  eipAt('an EIP at the standby', 'eip-drift', /associate-address --allocation-id/, (s) =>
    put(s, b(s).eipEni),
  ),
  {
    fault: 'a standby without room for a second VIP’s EIP',
    check: 'eip-no-room',
    remedy:
      /^aws ec2 assign-private-ip-addresses --network-interface-id eni-\w+ --secondary-private-ip-address-count 1 --region eu-central-1 {4}# then on i-/,
    async seed(s) {
      const { AllocationId } = await s.send<{ AllocationId: string }>(
        new AllocateAddressCommand({ Domain: 'vpc' }),
      );
      const web = (await s.stack.vips.read('web'))!;
      const pub = { ...web, name: 'pub', addresses: ['192.168.255.12/32'], eips: [AllocationId] };
      await s.stack.vips.write(undefined, { ...newVip(pub), members: web.members });
      return {
        subject: b(s).eipEni,
        async undo() {
          const now = (await s.stack.vips.read('pub'))!;
          await s.stack.vips.write(now, { ...now, removedAtMs: epochMs(Date.now()) });
          await s.send(new ReleaseAddressCommand({ AllocationId }));
          await s.dropSecondary(a(s).eipEni);
          await s.dropSecondary(b(s).eipEni);
        },
      };
    },
  },
];
