// Files against each other: what makes two masters names both of them, and is gone when its remedy has been carried out.
import { describe, expect, test } from 'vitest';
import { type ConfText, checksOf, conf, faultsOf, judged, LEAVING, other } from './judge.ts';
import { repaired } from './remedies.ts';

const pair = (a: ConfText, b: ConfText) => ({ 'a.conf': conf(a), 'b.conf': other(b) });
const V2 = { globals: 'router_id a\n    vrrp_version 2', advert: '1' };

test('two right files: nothing is found, whatever the instances are called', () => {
  expect(judged(pair({}, {}))).toEqual([]);
  expect(judged(pair({ name: 'VI_A' }, { name: 'VI_B' }))).toEqual([]);
  expect(
    judged(pair({ addresses: '192.0.2.1\n192.0.2.2' }, { addresses: '192.0.2.2/32 dev lo\n192.0.2.1' })),
  ).toEqual([]);
});

const TWO_MASTERS: readonly [what: string, files: Readonly<Record<string, string>>, found: string][] = [
  [
    'router ids',
    pair({}, { routerId: 52 }),
    'virtual_router_id 52 in b.conf, 51 in a.conf: both become MASTER',
  ],
  ['versions', pair({ advert: '1' }, V2), 'VRRP version 2 in b.conf, 3 in a.conf: both become MASTER'],
  [
    'versions of an instance',
    pair({ advert: '1' }, { advert: '1', more: 'version 2' }),
    'VRRP version 2 in b.conf, 3 in a.conf: both become MASTER',
  ],
  [
    'advert intervals of version 2',
    pair(V2, { ...V2, advert: '2' }),
    'advert_int 2 in b.conf, 1 in a.conf, with VRRP version 2: both become MASTER',
  ],
  [
    'addresses',
    pair({}, { addresses: '192.0.2.52/32 dev lo' }),
    'virtual_ipaddress: 192.0.2.52 only in b.conf, 192.0.2.51 only in a.conf: both become MASTER',
  ],
  [
    'one address more',
    pair({ addresses: '192.0.2.51\n192.0.2.52' }, {}),
    'virtual_ipaddress: 192.0.2.52 only in a.conf: both become MASTER',
  ],
  [
    'an address twice',
    pair({}, { addresses: '192.0.2.51\n192.0.2.51' }),
    'virtual_ipaddress: 192.0.2.51 once more in b.conf: both become MASTER',
  ],
  [
    'a peer that is not the other node',
    pair({ peers: '10.0.9.9' }, {}),
    'a.conf sends to 10.0.9.9, not to 10.0.2.10: both become MASTER',
  ],
  [
    'a source that the other checks and does not know',
    pair({}, { peers: '10.0.9.9', more: 'check_unicast_src' }),
    'b.conf checks where adverts come from, and 10.0.1.10 is not among its peers; b.conf sends to 10.0.9.9, not to 10.0.1.10: both become MASTER',
  ],
  [
    'multicast on one side',
    pair({}, { way: '' }),
    'VRRP by multicast in b.conf, unicast in a.conf: both become MASTER',
  ],
  [
    'multicast groups',
    pair({ way: '' }, { way: '', globals: 'vrrp_mcast_group4 224.0.0.99' }),
    'multicast group 224.0.0.99 in b.conf, 224.0.0.18 in a.conf: both become MASTER',
  ],
];

describe('what makes two masters', () => {
  test.each(TWO_MASTERS)('%s', (_what, files, found) => {
    const one = judged(files).find(({ check }) => check === 'keepalived-two-masters')!;
    expect(one).toMatchObject({ severity: 'fault', subject: 'a.conf and b.conf VI_1', found });
    expect(checksOf(judged(repaired(files, one)))).not.toContain('keepalived-two-masters');
  });

  test('not where a sync group keeps the one that hears nothing BACKUP: that it hears nothing is a fault all the same', () => {
    const second = (text: string, priority: number) =>
      text
        .replace(/^[\s\S]*(?=vrrp_instance)/, '')
        .replace('VI_1', 'VI_2')
        .replace('_id 51', '_id 52')
        .replace(/priority \d+/, `priority ${priority}`)
        .replace('192.0.2.51', '192.0.2.52');
    const group = 'vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\n}\n';
    const files = (a: { of2: number; tail: string }, b: { of2: number; tail: string }) => ({
      'a.conf': conf() + second(conf(), a.of2) + a.tail,
      'b.conf': other({ addresses: '192.0.2.59/32 dev lo' }) + second(other(), b.of2) + b.tail,
    });
    const splits = (found: Readonly<Record<string, string>>) =>
      faultsOf(judged(found)).map(({ check }) => check);
    const [low, high] = [
      { of2: 80, tail: '' },
      { of2: 90, tail: '' },
    ];
    expect(splits(files(high, low)), 'no group').toEqual(['keepalived-two-masters']);
    const grouped = { ...low, tail: group };
    expect(splits(files(high, grouped)), 'the worse node’s group hears the better one').toEqual([
      'keepalived-peers',
    ]);
    expect(splits(files({ ...low, tail: group }, high)), 'the better node’s group gives way').toEqual([
      'keepalived-peers',
    ]);
    expect(splits(files(low, { ...high, tail: group })), 'nothing keeps the group back').toEqual([
      'keepalived-two-masters',
    ]);
    expect(splits(files({ ...high, tail: group.replace('VI_2', 'VI_9') }, low)), 'a group of one').toEqual([
      'keepalived-two-masters',
    ]);
  });

  test('passwords, of which none is printed', () => {
    const auth = (pass: string) => ({
      ...V2,
      more: `authentication {\nauth_type PASS\nauth_pass ${pass}\n}`,
    });
    const found = judged(pair(auth('secret-a'), auth('secret-b')));
    expect(found).toMatchObject([
      {
        check: 'keepalived-two-masters',
        found: 'auth_pass differs between b.conf and a.conf: both become MASTER',
      },
    ]);
    expect(JSON.stringify(found)).not.toContain('secret-');
    expect(judged(pair(auth('12345678-one'), auth('12345678-two'))).map(({ severity }) => severity)).toEqual([
      'warning',
      'warning',
    ]);
    expect(judged(pair(auth('x'), V2))[0]?.found).toBe(
      'authentication none in b.conf, PASS in a.conf: both become MASTER',
    );
  });

  test('authentication that strict mode does not take', () => {
    const auth = `authentication {\nauth_type PASS\nauth_pass x\n}`;
    const files = pair({ ...V2, more: auth }, { ...V2, more: `${auth}\nstrict_mode` });
    const found = judged(files).find(({ check }) => check === 'keepalived-two-masters')!;
    expect(found.found).toBe('authentication none in b.conf, PASS in a.conf: both become MASTER');
    expect(judged(repaired(files, found))).toEqual([]);
  });

  test('address families', () => {
    const six = { source: 'fd00::2', peers: 'fd00::1', addresses: '2001:db8::51' };
    expect(faultsOf(judged(pair({}, six)))[0]?.found).toBe(
      'addresses of IPv6 in b.conf, IPv4 in a.conf: both become MASTER',
    );
  });
});

test('a finding says which VIPs it touches, where notify.conf does', () => {
  const vipsOf = new Map([['VI_1', ['web', 'api']]]);
  const files = pair({ advert: '1' }, { routerId: 52, globals: 'vrrp_strict' });
  const found = judged(files, ['a.conf', 'b.conf'], { fifo: '/run/x', leavingFile: LEAVING, vipsOf });
  expect(checksOf(found)).toContain('keepalived-two-masters');
  for (const { check, vips } of found) expect({ check, vips }).toEqual({ check, vips: ['web', 'api'] });
});

describe('between two nodes', () => {
  test('a better node that does not hear the other is a fault, and no two masters', () => {
    const files = pair({}, { peers: '10.0.9.9' });
    const [found] = faultsOf(judged(files));
    expect(found).toMatchObject({
      check: 'keepalived-peers',
      found: 'b.conf sends to 10.0.9.9, not to 10.0.1.10: one does not hear the other',
    });
    expect(judged(repaired(files, found!))).toEqual([]);
  });

  test('equal priorities, also the default ones', () => {
    const files = pair({ priority: 100 }, { priority: 100 });
    const [found] = judged(files);
    expect(found).toMatchObject({ check: 'keepalived-priorities', found: 'both have priority 100' });
    expect(judged(repaired(files, found!))).toEqual([]);
    const bare = Object.fromEntries(
      Object.entries(files).map(([path, text]) => [path, text.replace(/priority 100/, '')]),
    );
    const [left] = judged(bare);
    expect(left?.found).toBe('both have priority left to the default, 100');
    expect(judged(repaired(bare, left!))).toEqual([]);
    const top = pair({ priority: 255 }, { priority: 255 });
    const high = judged(top).find(({ check }) => check === 'keepalived-priorities')!;
    expect(checksOf(judged(repaired(top, high)))).not.toContain('keepalived-priorities');
  });

  test('advert intervals of version 3: a warning, since a node takes over the master’s', () => {
    const files = pair({}, { advert: '0.3' });
    const [found] = judged(files);
    expect(found).toMatchObject({ check: 'keepalived-advert', severity: 'warning' });
    expect(judged(repaired(files, found!))).toEqual([]);
  });

  test('one unicast_src_ip in both files was copied and not changed', () => {
    expect(judged({ 'a.conf': conf(), 'b.conf': conf({ priority: 253 }) })).toMatchObject([
      { check: 'keepalived-peers', found: 'both have unicast_src_ip 10.0.1.10' },
    ]);
  });

  test('virtual routers of one node, or of nodes that do not know each other, are not compared', () => {
    expect(judged({ 'a.conf': conf(), 'c.conf': conf({ routerId: 52, priority: 253 }) })).toEqual([]);
    const far = { routerId: 52, source: '10.0.7.7', peers: '10.0.8.8', addresses: '192.0.2.99' };
    expect(faultsOf(judged(pair({}, far)))).toEqual([]);
  });

  test('a peer that has no instance of the router id', () => {
    const two = (text: string, id: number) =>
      `${text}${conf({ name: 'VI_2', routerId: id, addresses: '192.0.2.99' }).replace(/^[\s\S]*(?=vrrp_instance)/, '')}`;
    expect(faultsOf(judged({ 'a.conf': two(conf(), 52), 'b.conf': other() }))).toMatchObject([
      {
        check: 'keepalived-peers',
        subject: 'a.conf and b.conf VI_2',
        found: 'VI_2 sends to 10.0.2.10, and b.conf has no instance with virtual_router_id 52',
      },
    ]);
  });

  test('a peer of whom no file was given: a warning', () => {
    const files = pair({ peers: '10.0.2.10\n10.0.3.10' }, {});
    const [found] = judged(files);
    expect(found).toMatchObject({ check: 'keepalived-peers', severity: 'warning', subject: 'a.conf VI_1' });
    expect(judged(repaired(files, found!))).toEqual([]);
    expect(judged({ 'a.conf': conf({ peers: '10.0.3.10' }) })).toEqual([]);
  });

  test('three nodes: each pair by itself, and a remedy for one takes nothing from another', () => {
    const files = {
      'a.conf': conf({ peers: '10.0.2.10' }),
      'b.conf': other({ peers: '10.0.1.10\n10.0.3.10' }),
      'c.conf': other({ source: '10.0.3.10', peers: '10.0.1.10\n10.0.2.10', priority: 252 }),
    };
    const found = judged(files);
    expect(found).toMatchObject([{ check: 'keepalived-two-masters', subject: 'a.conf and c.conf VI_1' }]);
    expect(judged(repaired(files, found[0]!))).toEqual([]);
  });

  test('what is not known makes no fault', () => {
    expect(faultsOf(judged(pair({ way: 'include peers.inc' }, { routerId: 51 })))).toEqual([]);
    const files = pair({}, {});
    const hidden = {
      ...files,
      'b.conf': files['b.conf'].replace('virtual_router_id 51', 'virtual_router_id $ID'),
    };
    expect(checksOf(judged(hidden))).toEqual(['unchecked']);
  });
});

describe('one file for several hosts', () => {
  const lines = (text: string, host: string) =>
    text
      .split('\n')
      .map((line) => (line === '' ? '' : `@${host} ${line}`))
      .join('\n');
  const both = `${lines(conf(), 'a')}\n${lines(other({ priority: 254 }), 'b')}`;

  test('is read once for each of them, and they are compared', () => {
    expect(judged({ 'k.conf': both })).toMatchObject([
      { check: 'keepalived-priorities', subject: 'k.conf (a) and k.conf (b) VI_1' },
    ]);
    expect(judged({ 'k.conf': both, 'copy.conf': both })).toHaveLength(1);
    expect(judged({ 'k.conf': both }, ['a=k.conf'])).toEqual([]);
    expect(judged({ 'k.conf': both }, ['a=k.conf', 'b=k.conf'])).toHaveLength(1);
  });

  test('with lines for all others: they are read as another host, too', () => {
    const text = `${conf()
      .replace('priority 254', '@main priority 254\n@^main priority 254')
      .replace('unicast_src_ip 10.0.1.10', '@main unicast_src_ip 10.0.1.10\n@^main unicast_src_ip 10.0.2.10')
      .replace(' 10.0.2.10\n    }', '@main 10.0.2.10\n@^main 10.0.1.10\n    }')}`;
    expect(judged({ 'k.conf': text })).toMatchObject([
      { check: 'keepalived-priorities', subject: 'k.conf (main) and k.conf (another host) VI_1' },
    ]);
  });
});
