// What the doctor looks up about identities: the nodes' roles with their policies, and the bus with its own. And the
// one thing it sends: an event from end to end.
import {
  DescribeEventBusCommand,
  type EventBridgeClient,
  PutEventsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  GetInstanceProfileCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  type IAMClient,
  paginateListAttachedRolePolicies,
  paginateListRolePolicies,
} from '@aws-sdk/client-iam';
import { type Policy, policyFrom } from '../../doctor/service/iam-policy.ts';
import type { IdentityFacts, RoleFact } from '../../doctor/service/identity-facts.ts';
import { defined } from '../../optional.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { DETAIL_TYPE, VERSION } from '../events/claim-event.ts';
import { collect } from '../pages.ts';
import type { Host } from './hosts.ts';

export interface IdentityAccess {
  readonly iam: IAMClient;
  readonly events: EventBridgeClient;
  readonly bus: string;
  readonly signal: AbortSignal;
}

/** Undefined when there is no such bus. */
export async function busOf(access: IdentityAccess): Promise<IdentityFacts['bus']> {
  try {
    const reply = await access.events.send(new DescribeEventBusCommand({ Name: access.bus }), {
      abortSignal: access.signal,
    });
    const policy = policyFrom(reply.Policy);
    return { arn: reply.Arn ?? '', ...defined({ policy }) };
  } catch (error) {
    const fault = faultFromSdkError(error, `looking up the bus ${access.bus}`);
    if (fault.kind === 'gone') return undefined;
    throw fault;
  }
}

/** `named`: the role that all nodes have, when the operator says; else by each node's instance profile. */
export async function rolesOf(
  access: IdentityAccess,
  hosts: readonly Pick<Host, 'node' | 'profile'>[],
  named: string | undefined,
): Promise<Pick<IdentityFacts, 'roles' | 'without'>> {
  const byRole = new Map<string, string[]>();
  const without: string[] = [];
  const known = new Map<string, Promise<string | undefined>>();
  for (const { node, profile } of hosts) {
    let role = named;
    if (role === undefined && profile !== undefined) {
      if (!known.has(profile)) known.set(profile, roleOfProfile(access, profile));
      role = await known.get(profile);
    }
    if (role === undefined) without.push(node);
    else byRole.set(role, [...(byRole.get(role) ?? []), node]);
  }
  if (named !== undefined && !byRole.has(named)) byRole.set(named, []);
  const roles = await Promise.all([...byRole].map(([role, nodes]) => roleFact(access, role, nodes)));
  return { roles, without };
}

async function roleOfProfile(access: IdentityAccess, arn: string): Promise<string | undefined> {
  const InstanceProfileName = arn.split('/').at(-1)!;
  try {
    const reply = await access.iam.send(new GetInstanceProfileCommand({ InstanceProfileName }), {
      abortSignal: access.signal,
    });
    return reply.InstanceProfile?.Roles?.[0]?.RoleName;
  } catch (error) {
    throw faultFromSdkError(error, `looking up the instance profile ${InstanceProfileName}`);
  }
}

async function roleFact(access: IdentityAccess, role: string, nodes: readonly string[]): Promise<RoleFact> {
  const { iam, signal } = access;
  const abort = { abortSignal: signal };
  try {
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: role }), abort);
    const policies: Policy[] = [];
    const places: string[] = [];
    const names = paginateListRolePolicies({ client: iam }, { RoleName: role }, abort);
    for (const PolicyName of await collect(names, (page) => page.PolicyNames)) {
      const reply = await iam.send(new GetRolePolicyCommand({ RoleName: role, PolicyName }), abort);
      policies.push(policyFrom(reply.PolicyDocument) ?? {});
      places.push(PolicyName);
    }
    const attached = paginateListAttachedRolePolicies({ client: iam }, { RoleName: role }, abort);
    for (const { PolicyArn } of await collect(attached, (page) => page.AttachedPolicies)) {
      policies.push(await managed(access, PolicyArn!));
      places.push(PolicyArn!);
    }
    const limit = Role?.PermissionsBoundary?.PermissionsBoundaryArn;
    const boundary = limit === undefined ? undefined : await managed(access, limit);
    const trust = policyFrom(Role?.AssumeRolePolicyDocument);
    return {
      role,
      arn: Role?.Arn ?? '',
      roleId: Role?.RoleId ?? '',
      nodes,
      policies,
      places,
      ...defined({ boundary, trust }),
    };
  } catch (error) {
    throw faultFromSdkError(error, `looking up the role ${role}`);
  }
}

async function managed({ iam, signal }: IdentityAccess, PolicyArn: string): Promise<Policy> {
  const abort = { abortSignal: signal };
  const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }), abort);
  const VersionId = Policy?.DefaultVersionId ?? 'v1';
  const version = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }), abort);
  return policyFrom(version.PolicyVersion?.Document) ?? {};
}

/**
 * Sends a probe under a source that is no node's. Where nodes are vouched for, the controller rejects and counts it,
 * with the event as the example; where not, it records the probe. Either proves the way. Returns the event's id.
 */
export async function sendProbe(
  access: IdentityAccess,
  vip: string,
  node: string,
  nowMs: number,
): Promise<string> {
  const entry = {
    EventBusName: access.bus,
    Source: 'vipshift.doctor',
    DetailType: DETAIL_TYPE,
    Detail: JSON.stringify(probeDetail(vip, node, nowMs)),
  };
  try {
    const reply = await access.events.send(new PutEventsCommand({ Entries: [entry] }), {
      abortSignal: access.signal,
    });
    const [sent] = reply.Entries ?? [];
    if (sent?.EventId === undefined) throw new Error(`${sent?.ErrorCode}: ${sent?.ErrorMessage}`);
    return sent.EventId;
  } catch (error) {
    throw faultFromSdkError(error, `sending to ${access.bus}`);
  }
}

const probeDetail = (vip: string, node: string, nowMs: number) => ({
  version: VERSION,
  vip,
  node,
  state: 'BACKUP',
  kind: 'probe',
  instance: 'vipshift-doctor',
  priority: 1,
  bootId: 'doctor',
  seq: 0,
  since: 0,
  uptimeMs: 0,
  ageMs: 0,
  superseded: false,
  dropped: 0,
  atMs: nowMs,
  shim: 'doctor',
});
