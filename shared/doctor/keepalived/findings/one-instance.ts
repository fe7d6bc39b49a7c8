// What is wrong with one vrrp_instance, whatever the other nodes have.
import { type Finding, fault, warning } from '../../finding.ts';
import type { Configuration } from '../model/configuration.ts';
import type { Globals } from '../model/globals.ts';
import { type Instance, isUnicast } from '../model/instance.ts';
import { holdOf } from '../model/statements.ts';
import { adding, asRemedy, beginningWith, removing, replacing } from './edits.ts';

export function instanceFindings(
  one: Configuration,
  instance: Instance,
  vips: readonly string[],
): readonly Finding[] {
  const about: About = { vips, subject: `${one.name} ${instance.name}` };
  return [
    ...multicastFindings(instance, about),
    ...ownPeerFindings(instance, about),
    ...versionFindings(one, instance, about),
    ...stateFindings(instance, about),
    ...trackingFindings(one, instance, about),
  ];
}

interface About {
  readonly vips: readonly string[];
  readonly subject: string;
}

function multicastFindings(instance: Instance, about: About): readonly Finding[] {
  const { peers, hold } = instance;
  if (isUnicast(instance) || peers.isPartial) return [];
  const found = peers.blocks.length > 0 ? 'unicast_peer without a peer' : 'no unicast_peer';
  return [
    fault('keepalived-multicast', {
      ...about,
      found: `${found}, so it speaks multicast, which a VPC does not carry`,
      expected: 'unicast_src_ip and unicast_peer',
      remedy: asRemedy(adding(hold, 'unicast_peer { ADDRESS }')),
    }),
  ];
}

function ownPeerFindings({ peers, source }: Instance, about: About): readonly Finding[] {
  const own = peers.listed.find(({ address }) => address === source.value);
  if (own === undefined) return [];
  return [
    fault('keepalived-peers', {
      ...about,
      found: `${own.address} is its unicast_src_ip, and among its own peers`,
      expected: 'the addresses of the other nodes',
      remedy: asRemedy(peers.listed.length > 1 ? removing(own.line) : replacing(own.line, 'ADDRESS')),
    }),
  ];
}

function versionFindings(one: Configuration, instance: Instance, about: About): readonly Finding[] {
  const { advertS, advertCs, version } = instance;
  if (version.value !== 2 || advertS.value === undefined || Number.isInteger(advertS.value)) return [];
  return [
    fault('keepalived-version', {
      ...about,
      found: `advert_int ${advertS.value} with VRRP version 2, which sends whole seconds: it becomes ${advertCs.value! / 100} s`,
      expected: 'vrrp_version 3',
      remedy: asRemedy(versionEdit(one, instance)),
    }),
  ];
}

/** Version 3, where the version is stated. */
export function versionEdit({ globals, start }: Configuration, { version }: Instance): string {
  const isOwn = version.line !== undefined && version.line !== globals.version.line;
  if (isOwn) return replacing(version.line, 'version 3');
  return globalEdit(globals, start.file, { line: globals.version.line, put: 'vrrp_version 3' });
}

interface GlobalEdit {
  readonly line: Globals['version']['line'];
  readonly put: string;
}

export function globalEdit({ blocks }: Globals, file: string, { line, put }: GlobalEdit): string {
  const [block] = blocks;
  if (line !== undefined) return replacing(line, put);
  return block === undefined ? beginningWith(file, `global_defs { ${put} }`) : adding(holdOf(block), put);
}

function stateFindings({ state }: Instance, about: About): readonly Finding[] {
  if (state.value !== 'MASTER' || state.line === undefined) return [];
  return [
    warning('keepalived-state', {
      ...about,
      found: 'state MASTER: nopreempt has no effect, so the VIP moves back whenever this node starts',
      expected: 'state BACKUP on all nodes',
      remedy: asRemedy(replacing(state.line, 'state BACKUP')),
    }),
  ];
}

function trackingFindings(one: Configuration, instance: Instance, about: About): readonly Finding[] {
  const groups = one.groups.filter(({ members }) => members.includes(instance.name));
  const isTracking = [instance, ...groups].some(({ tracked }) => tracked.length > 0);
  if (isTracking || instance.isPartial || one.isPartial) return [];
  return [
    warning('keepalived-tracking', {
      ...about,
      found: 'it tracks no process, script or file: a service that fails moves nothing',
      expected: 'what the service needs, in track_process, track_script or track_file',
      remedy: { sentence: 'vipshift keepalived-config --process NAME writes such blocks' },
    }),
  ];
}
