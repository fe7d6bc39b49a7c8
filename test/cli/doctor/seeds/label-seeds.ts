// Faults of labels, seeded for the doctor: values that no VIP uses, a mistyped key, tables that route the VIP without its
// label, and what is left of a former address.
import {
  CreateRouteCommand,
  CreateTagsCommand,
  DeleteRouteCommand,
  DeleteTagsCommand,
} from '@aws-sdk/client-ec2';
import type { Setup } from '../setup.ts';
import { a, type Seed } from './seeds.ts';

/** A table of the VIP with another value of its tag. */
const mistyped = (value: string, remedy: RegExp, table = 'clients-a', right = 'web'): Seed => ({
  fault: `a table (${table}) tagged ${JSON.stringify(value)}`,
  check: 'table-mislabelled',
  remedy,
  async seed(s) {
    const subject = s.table(table);
    await s.tag(subject, value);
    return { subject, undo: () => s.tag(subject, right) };
  },
});

const likely =
  /^aws ec2 create-tags --resources rtb-\w+ --tags Key=vipshift:dev,Value=web --region eu-central-1 {4}# or Value=-/;

const likelyOr =
  /create-tags .*Value=web --region eu-central-1 {4}# or take the route away: aws ec2 delete-route --route-table-id rtb-/;

/** A route in a table that is left out of the VIP. */
const routed = (
  fault: string,
  check: Seed['check'],
  address: (s: Setup) => string,
  remedy: RegExp,
): Seed => ({
  fault,
  check,
  remedy,
  async seed(s) {
    const cell = { RouteTableId: s.table('data-a'), DestinationCidrBlock: address(s) };
    await s.send(new CreateRouteCommand({ ...cell, NetworkInterfaceId: a(s).serviceEni }));
    const subject = check === 'table-routed' ? cell.RouteTableId : `${cell.RouteTableId} ${address(s)}`;
    return {
      subject,
      async undo() {
        await s.send(new DeleteRouteCommand(cell)).catch(() => undefined);
        await s.tag(cell.RouteTableId, '-');
      },
    };
  },
});

export const labelFaults: readonly Seed[] = [
  mistyped('wbe', likely),
  mistyped(
    'other',
    /Value=LABEL --region eu-central-1 {4}# LABEL: of the VIP that it is for, or - to leave it out/,
    'data-a',
    '-',
  ),
  {
    fault: 'a table whose tag has a mistyped key',
    check: 'table-mislabelled',
    remedy: likely,
    async seed(s) {
      const subject = s.table('clients-a');
      await s.untag(subject);
      const Tags = [{ Key: 'vipshift:Dev', Value: 'web' }];
      await s.send(new CreateTagsCommand({ Resources: [subject], Tags }));
      return {
        subject,
        async undo() {
          await s.send(new DeleteTagsCommand({ Resources: [subject], Tags }));
          await s.tag(subject, 'web');
        },
      };
    },
  },
  {
    fault: 'an ENI for EIPs tagged web:EIP',
    check: 'eni-mislabelled',
    remedy: /create-tags --resources eni-\w+ --tags Key=vipshift:dev,Value=web:eip/,
    async seed(s) {
      const subject = a(s).eipEni;
      await s.tag(subject, 'web:EIP');
      return { subject, undo: () => s.tag(subject, 'web:eip') };
    },
  },
  {
    fault: 'an EIP tagged Web',
    check: 'eip-mislabelled',
    remedy:
      /create-tags --resources eipalloc-\w+ --tags Key=vipshift:dev,Value=web --region eu-central-1 {4}/,
    async seed(s) {
      const subject = s.stack.vpc.eip.allocationId;
      await s.tag(subject, 'Web');
      return { subject, undo: () => s.tag(subject, 'web') };
    },
  },
  routed('a left-out table that routes the VIP', 'table-routed', (s) => s.stack.vpc.vip.ipv4, likelyOr),
  routed(
    'a route of a former address',
    'route-left-over',
    () => '192.168.255.99/32',
    /^aws ec2 delete-route /,
  ),
];
