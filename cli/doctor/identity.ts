// What the doctor looks up of identities: instances, the nodes' roles, the bus, who may approve, and an event end to end.

import { DETAIL_TYPE } from '../../shared/aws/events/claim-event.ts';
import { type Host, hostsOf } from '../../shared/aws/iam/hosts.ts';
import { busOf, rolesOf } from '../../shared/aws/iam/identity-facts.ts';
import { principalsOf } from '../../shared/aws/iam/principals.ts';
import type { Facts } from '../../shared/doctor/diagnose.ts';
import type { IdentityFacts } from '../../shared/doctor/service/identity-facts.ts';
import { defined } from '../../shared/optional.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import { attempts } from './attempts.ts';
import type { DoctorClients, DoctorOptions, DoctorSession } from './clients.ts';
import { probed } from './probe.ts';
import type { ServiceSeen } from './service.ts';

export interface Identity {
  readonly facts?: IdentityFacts;
  readonly unchecked: Facts['unchecked'];
}

/** All nodes of the VIPs; undefined where EC2 does not tell. */
export interface Hosts {
  readonly hosts?: readonly Host[];
  readonly unchecked: Facts['unchecked'];
}

export async function hostsFor({ ec2 }: DoctorSession, vips: readonly Vip[]): Promise<Hosts> {
  const nodes = [...new Set(vips.flatMap((vip) => Object.keys(vip.members)))].sort();
  const { unchecked, tried } = attempts();
  const hosts = await tried('instances', () => hostsOf(ec2, nodes), undefined);
  return { unchecked, ...defined({ hosts }) };
}

export interface IdentityQuery {
  readonly clients: DoctorClients;
  readonly options: DoctorOptions;
  readonly vips: readonly Vip[];
  readonly hosts: Hosts;
  readonly service: ServiceSeen;
}

export async function identityOf(
  session: DoctorSession,
  { clients, options, vips, hosts, service }: IdentityQuery,
): Promise<Identity> {
  const { settings, place, signal } = session;
  const access = { iam: clients.iam, events: session.clients.events, bus: settings.bus, signal };
  const { unchecked, tried } = attempts();
  const bus = await tried('the bus', () => busOf(access), undefined);
  if (bus === undefined && unchecked.length > 0) return { unchecked };
  const { roles, without } = await tried(
    'the nodes’ role',
    async () => rolesOf(access, hosts.hosts ?? [], options.nodeRole),
    { roles: [], without: [] },
  );
  const approvers =
    bus === undefined
      ? undefined
      : await tried(
          'who may order, approve and invoke',
          async () => ({
            stage: settings.stage,
            workflow: arnOf(bus.arn, 'states', `stateMachine:vipshift-${settings.stage}-failover`),
            failover: arnOf(bus.arn, 'lambda', `function:vipshift-${settings.stage}-failover`),
            principals: await principalsOf(access),
          }),
          undefined,
        );
  const [first] = vips;
  const probe =
    options.probe === false || bus === undefined || first === undefined
      ? undefined
      : await tried('the way of an event', () => probed(session, access, first), undefined);
  const facts: IdentityFacts = {
    place,
    detailType: DETAIL_TYPE,
    busName: settings.bus,
    ...defined({ bus }),
    roles,
    without,
    ...defined({ approvers, probe, expectedRoleId: expectedRoleId(service) }),
    ...defined({ nodePolicy: service.facts.stack?.stack?.outputs.NodePolicyArn }),
  };
  return { facts, unchecked };
}

/** What the function itself was told; with `none` it takes the word of any member. */
function expectedRoleId({ facts }: ServiceSeen): string | undefined {
  const environment = facts.functions?.find(({ name }) => name === 'failover')?.found?.environment;
  return environment?.VIPSHIFT_NODE_IDENTITY === 'source' ? environment.VIPSHIFT_NODE_ROLE_ID : undefined;
}

/** In the same partition, Region and account as the bus. */
function arnOf(bus: string, service: string, what: string): string {
  const [, partition, , region, account] = bus.split(':');
  return `arn:${partition}:${service}:${region}:${account}:${what}`;
}
