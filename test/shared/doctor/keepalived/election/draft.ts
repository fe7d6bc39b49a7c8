// A pair of nodes that may or may not be one virtual router: first right, then with something changed on one of them.
import type { Draw } from './draw.ts';

export interface NodeDraft {
  name: 'a' | 'b';
  instance: string;
  globalVersion: 2 | 3 | undefined;
  version: 2 | 3 | undefined;
  routerId: string;
  priority: string | undefined;
  advert: string | undefined;
  auth: { type: string; pass: string } | undefined;
  source: string | undefined;
  /** Undefined without a block. */
  peers: string[] | undefined;
  vips: string[];
  excluded: string[];
  checksSource: 'global' | 'instance' | undefined;
  group: string | undefined;
  state: string | undefined;
  nopreempt: boolean;
  /** Before global_defs. */
  head: string[];
  /** More statements of the instance and of global_defs, as they are. */
  more: string[];
  globals: string[];
  /** Behind the last block. */
  tail: string[];
}

export interface PairDraft {
  readonly nodes: readonly [NodeDraft, NodeDraft];
  /** What was changed, for the report. */
  readonly changes: readonly string[];
  /** Two nodes that have nothing to do with each other, so that two masters are right. */
  readonly areStrangers: boolean;
}

export const ADDRESS = {
  4: { a: '10.0.1.10', b: '10.0.2.10' },
  6: { a: 'fd00::1:10', b: 'fd00::2:10' },
} as const;
const STRANGER = { 4: '10.0.9.9', 6: 'fd00::9:9' } as const;
const vip = (family: 4 | 6, n: number): string =>
  family === 4 ? `192.0.2.${n}/32 dev lo` : `2001:db8::${n}/128 dev lo`;

export function pairDraft(draw: Draw): PairDraft {
  const family = draw.oneIn(5) ? 6 : 4;
  const nodes = rightPair(draw, family);
  if (draw.oneIn(12)) return strangers(nodes, family);
  const changes: string[] = [];
  for (let times = draw.of([0, 1, 1, 1, 2, 2, 2]); times > 0; times--) {
    const [name, change] = draw.of(draw.oneIn(4) ? defects : differences);
    const node = draw.of(nodes);
    const other = nodes.find((one) => one !== node)!;
    if (change({ node, other, family, draw }) !== 'no') changes.push(name);
  }
  return { nodes, changes, areStrangers: false };
}

function rightPair(draw: Draw, family: 4 | 6): [NodeDraft, NodeDraft] {
  const version = draw.of([2, 3, 3, 3, 3, undefined] as const);
  const isOwn = draw.oneIn(4);
  const isSecond = (family === 4 && version !== 3) || version === 2;
  const routerId = String(draw.of([1, 51, 255]));
  const vips = draw.of([[51], [51], [51, 52], [51, 52, 53]]);
  const isMulticast = draw.oneIn(5);
  const checks = draw.of([undefined, undefined, 'global', 'instance'] as const);
  const advert = isSecond ? draw.of(['1', undefined]) : draw.of(['0.1', '0.2', '.15', '0.3']);
  const auth =
    family === 4 && isSecond && draw.oneIn(2)
      ? { type: draw.of(['PASS', 'PASS', 'AH']), pass: 'geheim' }
      : undefined;
  const nopreempt = draw.oneIn(2);
  const isFirstHigher = draw.oneIn(2);
  const isTracking = draw.oneIn(4);
  const hasSecond = draw.oneIn(4);
  const isGrouped = hasSecond && draw.oneIn(2);
  const node = (name: 'a' | 'b', isHigher: boolean): NodeDraft => ({
    name,
    instance: draw.oneIn(4) ? `VI_${name}` : 'VI_1',
    globalVersion: isOwn || (family === 6 && version === 2) ? undefined : version,
    version: isOwn && !(family === 6 && version === 2) ? version : undefined,
    routerId,
    priority: isHigher ? '200' : draw.of(['50', '150', undefined]),
    advert,
    auth: auth === undefined ? undefined : { ...auth },
    source: isMulticast ? undefined : ADDRESS[family][name],
    peers: isMulticast ? undefined : [ADDRESS[family][name === 'a' ? 'b' : 'a']],
    vips: vips.map((n) => vip(family, n)),
    excluded: draw.oneIn(6) ? [vip(family === 4 ? 6 : 4, 99)] : [],
    checksSource: isMulticast ? undefined : checks,
    group: undefined,
    state: draw.of(['BACKUP', undefined]),
    nopreempt,
    head: isTracking ? ['track_file t {', 'file /run/t', 'weight 0', 'init_file 0', '}'] : [],
    more: isTracking ? ['track_file {', 't', '}'] : [],
    globals: [],
    tail: hasSecond ? secondInstance(name, family) : [],
  });
  const pair: [NodeDraft, NodeDraft] = [node('a', isFirstHigher), node('b', !isFirstHigher)];
  // Of both nodes, or of one alone.
  for (const one of pair)
    if (isGrouped && !draw.oneIn(4)) one.tail.push(GROUP, 'group {', one.instance, 'VI_SECOND', '}', '}');
  return pair;
}

/** Of both virtual routers. */
export const GROUP = 'vrrp_sync_group TOGETHER {';

/** Another virtual router of the same two nodes. */
const secondInstance = (name: 'a' | 'b', family: 4 | 6): string[] => [
  'vrrp_instance VI_SECOND {',
  'interface ve0',
  'virtual_router_id 99',
  `priority ${name === 'a' ? 90 : 80}`,
  `unicast_src_ip ${ADDRESS[family][name]}`,
  'unicast_peer {',
  ADDRESS[family][name === 'a' ? 'b' : 'a'],
  '}',
  'virtual_ipaddress {',
  vip(family, 199),
  '}',
  '}',
];

function strangers([a, b]: [NodeDraft, NodeDraft], family: 4 | 6): PairDraft {
  for (const [n, one] of [a, b].entries()) {
    Object.assign(one, {
      instance: `VI_${one.name}`,
      routerId: String(60 + n),
      vips: [vip(family, 60 + n)],
      source: ADDRESS[family][one.name],
      peers: [`${STRANGER[family]}${n}`],
    });
  }
  return { nodes: [a, b], changes: ['strangers'], areStrangers: true };
}

interface Change {
  readonly node: NodeDraft;
  readonly other: NodeDraft;
  readonly family: 4 | 6;
  readonly draw: Draw;
}
/** `no` where it does not fit. */
type Changing = readonly [name: string, change: (change: Change) => unknown];

/** Only where it fits. */
const where =
  (fits: (change: Change) => boolean, change: (change: Change) => unknown) =>
  (given: Change): unknown =>
    fits(given) ? change(given) : 'no';
const unicastOnly = (change: (change: Change) => unknown) =>
  where(({ node }) => node.peers !== undefined, change);
const withAuth = (change: (auth: { pass: string }, node: NodeDraft) => unknown) =>
  where(
    ({ node }) => node.auth !== undefined,
    ({ node }) => change(node.auth!, node),
  );

const differences: readonly Changing[] = [
  ['router id', ({ node }) => (node.routerId = '77')],
  [
    'version',
    ({ node, draw }) => {
      const value = draw.of([2, 3] as const);
      node.globalVersion = value;
      if (node.version !== undefined) node.version = value;
    },
  ],
  [
    'version of the instance',
    where(
      ({ family }) => family === 4,
      ({ node, draw }) => {
        node.version = draw.of([2, 3] as const);
      },
    ),
  ],
  ['advert interval', ({ node, draw }) => (node.advert = draw.of(['1', '2', '0.4', '0.1']))],
  ['password', withAuth((auth) => Object.assign(auth, { pass: 'anders' }))],
  ['long password', withAuth((auth) => Object.assign(auth, { pass: 'geheimer-als-der' }))],
  ['authentication', ({ node, draw }) => (node.auth = { type: draw.of(['PASS', 'AH']), pass: 'geheim' })],
  ['no authentication', withAuth((_auth, node) => Object.assign(node, { auth: undefined }))],
  ['one more address', ({ node, family }) => node.vips.push(vip(family, 88))],
  ['another address', ({ node, family }) => (node.vips = [vip(family, 87), ...node.vips.slice(1)])],
  ['other order', ({ node }) => node.vips.reverse()],
  ['an address twice', ({ node }) => node.vips.push(node.vips[0]!)],
  [
    'an address by another name',
    where(
      ({ family }) => family === 6,
      ({ node }) => node.vips.splice(0, 1, `2001:0db8:0::${/::(\w+)/.exec(node.vips[0]!)![1]}/128 dev lo`),
    ),
  ],
  ['equal priorities', ({ node, other }) => (node.priority = other.priority)],
  ['priority left out', ({ node }) => (node.priority = undefined)],
  ['priority 255', ({ node }) => (node.priority = '255')],
  ['wrong peer', unicastOnly(({ node, family }) => (node.peers = [STRANGER[family]]))],
  ['one more peer', unicastOnly(({ node, family }) => node.peers!.push(STRANGER[family]))],
  ['itself as a peer', unicastOnly(({ node, family }) => node.peers!.push(ADDRESS[family][node.name]))],
  ['only itself as a peer', unicastOnly(({ node, family }) => (node.peers = [ADDRESS[family][node.name]]))],
  ['no peer', unicastOnly(({ node }) => (node.peers = []))],
  ['no unicast_peer', unicastOnly(({ node }) => (node.peers = undefined))],
  [
    'peers where the other has none',
    ({ node, family }) => (node.peers = [ADDRESS[family][node.name === 'a' ? 'b' : 'a']]),
  ],
  ['no source', ({ node }) => (node.source = undefined)],
  [
    'source checked',
    unicastOnly(({ node, draw }) => Object.assign(node, { checksSource: draw.of(['global', 'instance']) })),
  ],
  ['multicast group', ({ node, family }) => (node.group = family === 4 ? '224.0.0.99' : 'ff02::99')],
  [
    'state MASTER',
    ({ node }) => {
      node.state = 'MASTER';
      node.nopreempt = false;
    },
  ],
  ['preemption', ({ node }) => (node.nopreempt = !node.nopreempt)],
  ['name', ({ node }) => (node.instance = 'VI_OTHER')],
  ['no FIFO', ({ node }) => node.globals.push('-vrrp_notify_fifo')],
  ['a FIFO elsewhere', ({ node }) => node.globals.push('notify_fifo /run/other.fifo', '-vrrp_notify_fifo')],
  ['reload option', ({ node }) => node.globals.push('fifo_write_vrrp_states_on_reload')],
  ['strict', ({ node }) => node.globals.push('vrrp_strict')],
  [
    'strict, with what it does not take',
    ({ node, draw }) => {
      node.globals.push('vrrp_strict');
      node.more.push(
        draw.of([
          'accept',
          'preempt_delay 1',
          'higher_prio_send_advert',
          'lower_prio_no_advert off',
          'state MASTER',
        ]),
      );
    },
  ],
];

/** What `keepalived -t` complains of, or what no one can know. */
const defects: readonly Changing[] = [
  ['priority 256', ({ node }) => (node.priority = '256')],
  ['priority of words', ({ node }) => (node.priority = 'high')],
  ['router id 0', ({ node }) => (node.routerId = '0')],
  ['no router id', ({ node }) => (node.routerId = '')],
  [
    'a number out of its range',
    ({ node, draw }) =>
      node.more.push(draw.of(['debug 9', 'unicast_ttl 300', 'down_timer_adverts 0', 'preempt_delay x'])),
  ],
  ['a switch that is neither on nor off', ({ node }) => node.more.push('higher_prio_send_advert maybe')],
  ['advert interval too short', ({ node }) => (node.advert = '0.001')],
  ['advert interval of three decimals', ({ node }) => (node.advert = '0.125')],
  ['advert interval with an exponent', ({ node }) => (node.advert = '1e0')],
  ['unknown word', ({ node }) => node.more.push('no_such_word 3')],
  ['unknown global word', ({ node }) => node.globals.push('no_such_global')],
  ['unknown block', ({ node }) => node.tail.push('no_such_block x {', 'y 3', '}')],
  ['brace too many', ({ node }) => node.tail.push('}')],
  ['brace missing', ({ node }) => node.tail.push('track_file t {', 'file /run/t')],
  ['open quote', ({ node }) => node.more.push('notify "/bin/true')],
  ['no address', ({ node }) => (node.vips = [])],
  ['bad address', ({ node }) => node.vips.push('192.0.2.300/32 dev lo')],
  ['address of the other family', ({ node, family }) => node.vips.push(vip(family === 4 ? 6 : 4, 98))],
  ['bad peer', unicastOnly(({ node }) => node.peers!.push('10.0.2'))],
  [
    'peer of the other family',
    unicastOnly(({ node, family }) => node.peers!.push(STRANGER[family === 4 ? 6 : 4])),
  ],
  ['bad source', ({ node }) => (node.source = '10.0.1')],
  ['state in small letters', ({ node }) => (node.state = 'master')],
  ['state twice', ({ node }) => node.more.push('state MASTER', 'state BACKUP')],
  ['version 4', ({ node }) => node.more.push('version 4')],
  ['version twice', ({ node }) => node.more.push('version 2', 'version 3')],
  ['authentication without a password', ({ node }) => (node.auth = { type: 'PASS', pass: '' })],
  ['authentication of no known type', ({ node }) => (node.auth = { type: 'NONE', pass: 'geheim' })],
  [
    'nopreempt and MASTER',
    ({ node }) => {
      node.nopreempt = true;
      node.state = 'MASTER';
    },
  ],
  [
    'preempt_delay and nopreempt',
    ({ node }) => {
      node.nopreempt = true;
      node.more.push('preempt_delay 2');
    },
  ],
  ['definition that is not there', ({ node, draw }) => (node.priority = draw.of(['$NOWHERE', '${NOWHERE}']))],
  [
    'include of nothing',
    ({ node, draw }) => draw.of([node.more, node.globals]).push('include /nowhere/*.conf'),
  ],
  // keepalived 2.2.7 never ends where another track_file comes before it.
  [
    'tracked file that is not there',
    where(
      ({ node }) => node.head.length === 0,
      ({ node }) => node.more.push('track_file {', 'nowhere', '}'),
    ),
  ],
  [
    'second instance of the name',
    ({ node }) => node.tail.push(`vrrp_instance ${node.instance} {`, 'priority 3', '}'),
  ],
  ['instance without a name', ({ node }) => node.tail.push('vrrp_instance {', 'priority 3', '}')],
  ['second FIFO', ({ node }) => node.globals.push('vrrp_notify_fifo /run/second.fifo')],
  [
    'sync group of one',
    ({ node }) => node.tail.push('vrrp_sync_group G {', 'group {', node.instance, '}', '}'),
  ],
  ['script without security', ({ node }) => node.more.push('notify /bin/true')],
];

export const changeNames: readonly string[] = [...differences, ...defects].map(([name]) => name);
