// The faults that the doctor has to find, each with what seeds it on the local AWS and what takes it back: here those of
// ENIs and Elastic IPs.
import {
  AssociateAddressCommand,
  AttachNetworkInterfaceCommand,
  CreateNetworkInterfaceCommand,
  CreateVpcCommand,
  DeleteNetworkInterfaceCommand,
  DetachNetworkInterfaceCommand,
} from '@aws-sdk/client-ec2';
import { update } from '../../../../shared/registry/registry.ts';
import type { Vip } from '../../../../shared/vip/vip.ts';
import type { Setup } from '../setup.ts';

export interface Seed {
  readonly fault: string;
  readonly check: string;
  readonly remedy: RegExp;
  /** Seeds it; returns what the finding is about, and what takes it back. */
  seed(s: Setup): Promise<{ readonly subject: string; undo(): Promise<unknown> }>;
  /** Sends the event end to end. */
  readonly probe?: boolean;
}

type Seeded = ReturnType<Seed['seed']>;

export const b = (s: Setup) => s.stack.vpc.nodes.b;
export const a = (s: Setup) => s.stack.vpc.nodes.a;

/** The VIP's item, changed behind the controller's back. */
export async function item(s: Setup, subject: string, change: (vip: Vip) => Partial<Vip>): Seeded {
  const before = (await s.stack.vips.read('web'))!;
  await update(s.stack.vips, 'web', (was) => ({ ...was!, ...change(was!) }));
  return {
    subject,
    async undo() {
      await update(s.stack.vips, 'web', (now) => ({ ...before, rev: now!.rev }));
    },
  };
}

async function newEni(s: Setup, label: string): Promise<string> {
  const { NetworkInterface: eni } = await s.send<{ NetworkInterface: { NetworkInterfaceId: string } }>(
    new CreateNetworkInterfaceCommand({ SubnetId: a(s).subnetId }),
  );
  await s.tag(eni.NetworkInterfaceId, label);
  return eni.NetworkInterfaceId;
}
const dropEni = (s: Setup, NetworkInterfaceId: string) =>
  s.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));

export async function otherVpc(s: Setup): Promise<string> {
  const { Vpc } = await s.send<{ Vpc: { VpcId: string } }>(
    new CreateVpcCommand({ CidrBlock: '10.9.0.0/16' }),
  );
  return Vpc.VpcId;
}

export const eniFaults: readonly Seed[] = [
  {
    fault: 'source/dest check on at a service ENI',
    check: 'source-dest-check',
    remedy: /modify-network-interface-attribute .* --no-source-dest-check/,
    async seed(s) {
      await s.check(b(s).serviceEni, true);
      return { subject: b(s).serviceEni, undo: () => s.check(b(s).serviceEni, false) };
    },
  },
  {
    fault: 'a labelled ENI that is attached to nothing',
    check: 'eni-unattached',
    remedy: /delete-tags --resources eni-.* --region eu-central-1 {4}# or: aws ec2 attach-network-interface/,
    async seed(s) {
      const eni = await newEni(s, 'web');
      return { subject: eni, undo: () => dropEni(s, eni) };
    },
  },
  {
    fault: 'a node’s ENI without label',
    check: 'eni-unlabelled',
    remedy: /create-tags --resources eni-\w+ --tags Key=vipshift:dev,Value=web/,
    async seed(s) {
      await s.untag(b(s).serviceEni);
      return { subject: b(s).instanceId, undo: () => s.tag(b(s).serviceEni, 'web') };
    },
  },
  {
    fault: 'two labelled ENIs on one node',
    check: 'eni-twice',
    remedy: /delete-tags --resources eni-/,
    async seed(s) {
      await s.tag(a(s).primaryEni, 'web');
      return { subject: a(s).instanceId, undo: () => s.untag(a(s).primaryEni) };
    },
  },
  {
    fault: 'both nodes in one zone',
    check: 'one-zone',
    remedy: /another zone/,
    async seed(s) {
      await s.untag(b(s).serviceEni);
      const NetworkInterfaceId = await newEni(s, 'web');
      const { AttachmentId } = await s.send<{ AttachmentId: string }>(
        new AttachNetworkInterfaceCommand({
          NetworkInterfaceId,
          InstanceId: b(s).instanceId,
          DeviceIndex: 5,
        }),
      );
      return {
        subject: 'web',
        async undo() {
          await s.send(new DetachNetworkInterfaceCommand({ AttachmentId }));
          await dropEni(s, NetworkInterfaceId);
          await s.tag(b(s).serviceEni, 'web');
        },
      };
    },
  },
  {
    fault: 'an EIP on the primary ENI',
    check: 'eip-on-primary',
    remedy: /associate-address --allocation-id/,
    async seed(s) {
      const { allocationId: AllocationId } = s.stack.vpc.eip;
      const put = (NetworkInterfaceId: string, id = AllocationId) =>
        s.send(
          new AssociateAddressCommand({ AllocationId: id, NetworkInterfaceId, AllowReassociation: true }),
        );
      await put(b(s).primaryEni);
      return {
        subject: AllocationId,
        async undo() {
          await put(a(s).eipEni);
          await put(b(s).primaryEni, b(s).publicAllocationId);
        },
      };
    },
  },
  {
    fault: 'a node whose only ENI for the EIP is the primary one',
    check: 'eip-eni-missing',
    remedy: /create-tags --resources ENI .*Value=web:eip/,
    async seed(s) {
      const { serviceEni, eipEni, primaryEni, instanceId } = b(s);
      await Promise.all([s.untag(serviceEni), s.untag(eipEni), s.tag(primaryEni, 'web')]);
      return {
        subject: instanceId,
        undo: () => Promise.all([s.untag(primaryEni), s.tag(serviceEni, 'web'), s.tag(eipEni, 'web:eip')]),
      };
    },
  },
];
