// The policy of the bus, asked of AWS: the statements of resources/policies/bus-policy.ts on a bus of the probe's own, and what this shell's
// principal may then send.
import {
  CreateEventBusCommand,
  DeleteEventBusCommand,
  type EventBridgeClient,
  PutEventsCommand,
  PutPermissionCommand,
} from '@aws-sdk/client-eventbridge';
import { GetRoleCommand, type IAMClient } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { everyBus, ownSource, withNodeRole } from '../../resources/policies/bus-policy.ts';
import type { Statement } from '../../resources/roles/role.ts';
import { faultFromSdkError } from '../../shared/aws/error-codes.ts';
import { fail, name, type Probe, pass, type Undo } from './questions.ts';

const CLAIM = 'VRRP State Change';

/** A bus of its own; `policy` is told its ARN. */
export async function busWith(
  events: EventBridgeClient,
  undo: Undo,
  { suffix, policy }: { readonly suffix: string; readonly policy: (bus: string) => readonly Statement[] },
): Promise<{ readonly Name: string; readonly arn: string }> {
  const Name = `${name}-${suffix}`;
  const { EventBusArn } = await events.send(new CreateEventBusCommand({ Name }));
  undo(() => events.send(new DeleteEventBusCommand({ Name })));
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: policy(EventBusArn!) });
  await events.send(new PutPermissionCommand({ EventBusName: Name, Policy }));
  return { Name, arn: EventBusArn! };
}

/** `accepted`, or the code of the refusal. */
async function sent(events: EventBridgeClient, bus: string, [Source, DetailType]: Entry): Promise<string> {
  const entry = { EventBusName: bus, Source, DetailType, Detail: '{}' };
  try {
    const reply = await events.send(new PutEventsCommand({ Entries: [entry] }));
    return reply.Entries?.[0]?.ErrorCode ?? 'accepted';
  } catch (error) {
    return faultFromSdkError(error, 'PutEvents').code;
  }
}

type Entry = readonly [source: string, detailType: string];

/** The first entry that was not answered as expected, in words. */
async function strange(
  events: EventBridgeClient,
  bus: string,
  expected: { readonly accepted: readonly Entry[]; readonly refused: readonly Entry[] },
): Promise<string | undefined> {
  const told = async (entry: Entry) => ({ entry, code: await sent(events, bus, entry) });
  for (const entry of expected.accepted) {
    const { code } = await told(entry);
    if (code !== 'accepted') return `${entry.join(', ')} was refused: ${code}`;
  }
  for (const entry of expected.refused)
    if ((await told(entry)).code === 'accepted') return `${entry.join(', ')} was accepted`;
  return undefined;
}

export const sourceBinding: Probe = {
  what: 'the bus’s policy keeps a claim’s source from everybody but the node role',
  async ask({ events }, undo) {
    const { Name } = await busWith(events, undo, {
      suffix: 'binding',
      policy: (bus) => withNodeRole(bus, roleIn(bus, 'no-one'), ownSource),
    });
    const found = await strange(events, Name, {
      accepted: [['someone.else', 'Test']],
      refused: [['vipshift.notify/AROAX:i-0123456789abcdef0', CLAIM]],
    });
    return found === undefined ? pass('refused; another source is accepted') : fail(found);
  },
};

export const ownSession: Probe = {
  what: 'the bus’s policy lets a session of the node role speak as itself and as no other',
  async ask({ events, iam, sts }, undo) {
    const { userid, principal } = await caller({ iam, sts });
    const { Name } = await busWith(events, undo, {
      suffix: 'session',
      policy: (bus) => withNodeRole(bus, principal, ownSource),
    });
    const found = await strange(events, Name, {
      accepted: [[`vipshift.notify/${userid}`, CLAIM]],
      refused: [['vipshift.notify/AROAX:i-0123456789abcdef0', CLAIM]],
    });
    return found === undefined ? pass(`accepted as ${userid}, refused as another`) : fail(found);
  },
};

export const announcements: Probe = {
  what: 'the bus’s policy takes claims from nodes and the doctor, and announcements from the functions alone',
  async ask({ events }, undo) {
    const { Name } = await busWith(events, undo, {
      suffix: 'vouching',
      policy: (bus) => everyBus({ bus, announcers: [roleIn(bus, 'no-one')] }),
    });
    const found = await strange(events, Name, {
      accepted: [
        ['vipshift.notify/AROAX:i-0123456789abcdef0', CLAIM],
        ['vipshift.doctor', CLAIM],
        ['someone.else', 'Test'],
      ],
      refused: [
        ['someone.else', CLAIM],
        ['vipshift.controller', 'Test'],
        ['someone.else', 'VIP Failover Finished'],
      ],
    });
    return found === undefined ? pass('each as expected') : fail(found);
  },
};

function roleIn(bus: string, role: string): string {
  const [, partition, , , account] = bus.split(':');
  return `arn:${partition}:iam::${account}:role/${role}`;
}

/** aws:userid and aws:PrincipalArn of this shell: of a session, those of its role. */
async function caller({ iam, sts }: { readonly iam: IAMClient; readonly sts: STSClient }) {
  const { UserId, Arn } = await sts.send(new GetCallerIdentityCommand({}));
  const [, RoleName] = /:assumed-role\/([^/]+)\//.exec(Arn!) ?? [];
  if (RoleName === undefined) return { userid: UserId!, principal: Arn! };
  // The ARN of a session leaves the role's path out.
  const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
  return { userid: UserId!, principal: Role!.Arn! };
}
