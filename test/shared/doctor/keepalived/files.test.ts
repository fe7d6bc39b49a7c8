// What is wrong in one file: found, and gone when the remedy has been carried out.
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../../shared/doctor/finding.ts';
import { checksOf, conf, FIFO, faultsOf, judged, LEAVING } from './judge.ts';
import { repaired } from './remedies.ts';

test('a right file: nothing is found', () => expect(judged({ 'a.conf': conf() })).toEqual([]));

interface Row {
  readonly what: string;
  readonly text: string;
  readonly finding: Partial<Finding>;
}

const rows: readonly Row[] = [
  {
    what: 'no FIFO',
    text: conf().replace(/vrrp_notify_fifo.*/, ''),
    finding: { check: 'keepalived-notify', found: 'no notify FIFO: the shim hears nothing' },
  },
  {
    what: 'no FIFO and no global_defs',
    text: conf({ more: 'version 3' }).replace(/global_defs \{[^}]*\}/, ''),
    finding: { check: 'keepalived-notify' },
  },
  {
    what: 'a FIFO elsewhere',
    text: conf().replace(FIFO, '/tmp/notify.fifo'),
    finding: {
      check: 'keepalived-notify',
      found: 'vrrp_notify_fifo /tmp/notify.fifo, which the shim does not read',
    },
  },
  {
    what: 'scripts instead of a FIFO',
    text: conf({ globals: 'enable_script_security', more: 'notify_master /x' }).replace(
      /vrrp_notify_fifo.*/,
      '',
    ),
    finding: { check: 'keepalived-notify', found: expect.stringMatching(/^notify_master instead of a FIFO/) },
  },
  {
    what: 'the reload option',
    text: conf({ globals: 'fifo_write_vrrp_states_on_reload' }),
    finding: { check: 'keepalived-reload' },
  },
  { what: 'vrrp_strict', text: conf({ globals: 'vrrp_strict' }), finding: { check: 'keepalived-strict' } },
  { what: 'strict_mode', text: conf({ more: 'strict_mode' }), finding: { check: 'keepalived-strict' } },
  { what: 'no_accept', text: conf({ more: 'no_accept' }), finding: { check: 'keepalived-strict' } },
  { what: 'no peers', text: conf({ way: '' }), finding: { check: 'keepalived-multicast' } },
  {
    what: 'a block without a peer',
    text: conf({ peers: '# 10.0.2.10' }),
    finding: {
      check: 'keepalived-multicast',
      found: 'unicast_peer without a peer, so it speaks multicast, which a VPC does not carry',
    },
  },
  {
    what: 'itself as a peer',
    text: conf({ peers: '10.0.1.10\n10.0.2.10' }),
    finding: { check: 'keepalived-peers' },
  },
  {
    what: 'only itself as a peer',
    text: conf({ peers: '10.0.1.10' }),
    finding: { check: 'keepalived-peers' },
  },
  {
    what: 'sub-second adverts with the default version',
    text: conf().replace('vrrp_version 3', ''),
    finding: {
      check: 'keepalived-version',
      found: expect.stringMatching(/^advert_int 0\.2 .*: it becomes 1 s$/),
    },
  },
  {
    what: 'sub-second adverts with version 2',
    text: conf().replace('vrrp_version 3', 'vrrp_version 2'),
    finding: { check: 'keepalived-version' },
  },
  {
    what: 'an instance of version 2',
    text: conf({ more: 'version 2' }),
    finding: { check: 'keepalived-version' },
  },
  {
    what: 'state MASTER',
    text: conf().replace('state BACKUP', 'state MASTER').replace('nopreempt', ''),
    finding: { check: 'keepalived-state', severity: 'warning' },
  },
  ...refusedRows(),
];

function refusedRows(): readonly Row[] {
  const row = (found: string, text: string, severity: 'fault' | 'warning' = 'fault'): Row => ({
    what: found,
    text,
    finding: { check: 'keepalived-refused', found, severity },
  });
  return [
    row('VI_1: priority 256, expected a number from 1 to 255', conf({ priority: 256 })),
    row('VI_1: virtual_router_id 0, expected a number from 1 to 255', conf({ routerId: 0 })),
    row('VI_1: no virtual_router_id', conf().replace(/virtual_router_id.*/, '')),
    row('VI_1: no interface', conf().replace(/interface.*/, '')),
    row('VI_1: advert_int 1e0, expected seconds from 0.01 to 255', conf({ advert: '1e0' })),
    row('VI_1: advert_int 0.125, and version 3 sends steps of 0.01', conf({ advert: '0.125' })),
    row('VI_1: advert_int 41, and version 3 sends at most 40.95', conf({ advert: '41' })),
    row('VI_1: no virtual_ipaddress', conf().replace(/virtual_ipaddress \{[^}]*\}/, '')),
    row(
      'VI_1: 192.0.2.300/32 in virtual_ipaddress is no address',
      conf({ addresses: '192.0.2.51\n192.0.2.300/32' }),
    ),
    row(
      'VI_1: fd00::1 is no IPv4 address, as the first one is, and is left out',
      conf({ addresses: '192.0.2.51\nfd00::1' }),
    ),
    row('VI_1: state master, expected MASTER or BACKUP', conf().replace('state BACKUP', 'state master')),
    row('VI_1: version 2 where it is 3 already, and is ignored', conf({ more: 'version 3\nversion 2' })),
    row('VI_1: nopreempt has no effect with state MASTER', conf().replace('BACKUP', 'MASTER'), 'warning'),
    row(
      'VI_1: state MASTER has no effect with auth_type AH',
      conf({ more: 'authentication {\nauth_type AH\nauth_pass geheim\n}' })
        .replace('vrrp_version 3', 'vrrp_version 2')
        .replace('BACKUP', 'MASTER')
        .replace('nopreempt', ''),
      'warning',
    ),
    row('VI_1: preempt_delay has no effect with nopreempt', conf({ more: 'preempt_delay 3' }), 'warning'),
    row('a second vrrp_notify_fifo, which is ignored', conf({ globals: 'vrrp_notify_fifo /x' }), 'warning'),
    row(
      'VI_1: nothing before it defines the track_file nowhere, which is left out',
      conf({ more: 'track_file {\nnowhere\n}' }),
    ),
    row(
      'VI_1: preempt_delay 3, which strict mode does not take, is ignored',
      conf({ more: 'strict_mode\npreempt_delay 3' }).replace('nopreempt', ''),
      'warning',
    ),
    row('VI_1: debug 9, expected a number from 0 to 4', conf({ more: 'debug 9' }), 'warning'),
  ];
}

describe('a fault in one file', () => {
  test.each(rows)('$what: found, and gone with its remedy', ({ text, finding }) => {
    const files = { 'a.conf': text };
    const found = judged(files);
    expect(checksOf(found)).toContain(finding.check);
    const one = found.find(({ check }) => check === finding.check)!;
    expect(one).toMatchObject(finding);
    const after = judged(repaired(files, one));
    expect(after).not.toContainEqual(expect.objectContaining({ check: one.check, found: one.found }));
    expect(after.length).toBeLessThan(found.length);
  });

  test.each([
    ['an open block', conf().replace(/}\n$/, ''), 'the block of vrrp_instance is not closed'],
    ['a brace too many', `${conf()}}\n`, 'a } too many'],
    ['a quote', conf({ more: 'notify "/x' }), 'a quote is left open: notify "/x'],
    ['a block word without a block', conf({ more: 'unicast_peer' }), 'no { follows unicast_peer'],
    [
      'an instance without a name',
      `${conf()}vrrp_instance {\n}\n`,
      'vrrp_instance needs one name, and is left out',
    ],
    [
      'a name that is taken',
      `${conf()}vrrp_instance VI_1 {\n}\n`,
      'a second vrrp_instance VI_1, which is left out',
    ],
    [
      'a script without security',
      conf({ more: 'notify /bin/x' }),
      'a script without enable_script_security in global_defs',
    ],
    [
      'a sync group of one',
      `${conf()}vrrp_sync_group G {\ngroup {\nVI_1\n}\n}\n`,
      'vrrp_sync_group G: it has 1 of at least 2 instances',
    ],
    [
      'two multicast instances of one router id',
      `${conf({ way: '' })}${conf({ way: '', name: 'VI_2' }).replace(/^[\s\S]*(?=vrrp_instance)/, '')}`,
      'VI_2: virtual_router_id 51 on eth0, as VI_1 has',
    ],
  ])('%s: what keepalived complains of', (_what, text, found) => {
    expect(judged({ 'a.conf': text })).toContainEqual(
      expect.objectContaining({ check: 'keepalived-refused', found }),
    );
  });

  test('nothing is tracked: a warning for the instance, and not where its sync group tracks', () => {
    const bare = conf().replace(/ {4}track_file \{[^}]*\}/, '');
    expect(judged({ 'a.conf': bare })).toMatchObject([
      { check: 'keepalived-tracking', severity: 'warning' },
      { check: 'keepalived-leaving', severity: 'warning' },
    ]);
    const second = bare
      .replace(/^[\s\S]*(?=vrrp_instance)/, '')
      .replace('VI_1', 'VI_2')
      .replace('_id 51', '_id 52');
    const grouped = `${bare}${second}vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\ntrack_file {\ndemote\nleaving\n}\n}\n`;
    expect(judged({ 'a.conf': grouped })).toEqual([]);
  });

  describe('the file by which a node leaves', () => {
    const found = (text: string) =>
      judged({ 'a.conf': text }).filter(({ check }) => check === 'keepalived-leaving');

    test('only the demote file is tracked: what to paste makes it right', () => {
      const text = conf()
        .replace(/track_file leaving \{[^}]*\}\n/, '')
        .replace(/ {8}leaving\n/, '');
      const [finding, ...more] = found(text);
      expect(finding).toMatchObject({ severity: 'warning', subject: 'a.conf VI_1' });
      expect(finding!.found).toContain('does not track /run/vipshift/leaving');
      expect(more).toEqual([]);
      expect(judged(repaired({ 'a.conf': text }, finding!))).toEqual([]);
    });

    test.each([
      ['0', 1],
      ['-126', 1],
      ['-127', 0],
      ['-253', 0],
      ['-254', 1],
    ])('weight %s', (weight, count) => {
      const text = conf().replace('weight -200', `weight ${weight}`);
      expect(found(text)).toHaveLength(count);
      for (const finding of found(text)) expect(judged(repaired({ 'a.conf': text }, finding))).toEqual([]);
      expect(found(conf().replace('        leaving', `        leaving weight ${weight}`))).toHaveLength(
        count,
      );
    });

    test('no weight at all adds 1: the line is made whole', () => {
      const text = conf().replace(/ {4}weight -200\n/, '');
      expect(found(text)).toMatchObject([{ found: 'it tracks /run/vipshift/leaving with weight 1' }]);
      expect(judged(repaired({ 'a.conf': text }, found(text)[0]!))).toEqual([]);
    });
  });

  test('a file that holds no instance is the wrong one', () => {
    for (const text of ['', '# nothing\n', 'global_defs {\n}\n'])
      expect(judged({ 'a.conf': text })).toMatchObject([{ check: 'keepalived-instance', subject: 'a.conf' }]);
    const found = judged({ hosts: Array.from({ length: 30 }, (_, n) => `10.0.0.${n} h${n}`).join('\n') });
    expect(checksOf(found)).toEqual([...Array(11).fill('unchecked'), 'keepalived-instance']);
    expect(found[10]).toMatchObject({
      subject: 'hosts line 11',
      found: '20 more lines that are not understood',
    });
  });
});

describe('what is not understood', () => {
  const unreadOf = (text: string) => {
    const found = judged({ 'a.conf': text });
    expect(faultsOf(found)).toEqual([]);
    return found.filter(({ check }) => check === 'unchecked').map((one) => `${one.subject}: ${one.found}`);
  };

  test('an include of files that are not here: unchecked, and what they may hold is no fault', () => {
    expect(
      unreadOf(
        `include /etc/vipshift/keepalived-snippet.conf\n${conf().replace(/global_defs \{[^}]*\}/, '')}`,
      ),
    ).toEqual([
      'a.conf line 1: include /etc/vipshift/keepalived-snippet.conf: no such file here, so what is in it is not known',
    ]);
    expect(unreadOf(conf({ way: 'include peers.inc' }))).toHaveLength(1);
    expect(unreadOf(conf({ peers: 'include peers.inc' }))).toHaveLength(1);
    expect(unreadOf('include conf.d/*.conf')).toEqual([
      'a.conf line 1: include conf.d/*.conf: no such file here, so what is in it is not known',
      'a.conf: no vrrp_instance in what can be read',
    ]);
  });

  test('a definition that is not there: unchecked, never judged', () => {
    expect(unreadOf(conf().replace('priority 254', 'priority $PRIO'))).toEqual([
      'a.conf line 19: not understood: priority $PRIO',
    ]);
    expect(unreadOf(conf().replace('advert_int 0.2', 'advert_int ${ADV}'))).toHaveLength(1);
    expect(unreadOf(conf({ way: '$PEERS' }))).toEqual(['a.conf line 21: not understood: $PEERS']);
    expect(unreadOf(conf().replace(FIFO, '$FIFO'))).toHaveLength(1);
    expect(
      unreadOf(
        conf({ more: 'notify_master "/bin/x $HOME"' }).replace('router_id a', 'enable_script_security'),
      ),
    ).toEqual([]);
  });

  test('a word or a block that is newer, or a mistake', () => {
    expect(unreadOf(conf({ more: 'no_such_word 3' }))).toEqual([
      'a.conf line 32: not understood: no_such_word 3',
    ]);
    expect(unreadOf(`${conf()}no_such_block x {\n y\n}\n`)).toHaveLength(1);
    expect(unreadOf(conf({ more: '~SEQ(N) priority $N' }))).toHaveLength(1);
  });
});

describe('the shim’s notify.conf', () => {
  const shim = (...instances: string[]) => ({
    fifo: '/run/x.fifo',
    leavingFile: LEAVING,
    vipsOf: new Map(instances.map((name) => [name, ['web']])),
  });

  test('names an instance that keepalived has not, and the other way round', () => {
    const found = judged({ 'a.conf': conf({ name: 'VI_FRONT' }) }, ['a.conf'], {
      fifo: FIFO,
      leavingFile: LEAVING,
      vipsOf: new Map([['VI_WEB', ['web']]]),
    });
    expect(found).toMatchObject([
      { severity: 'fault', found: 'the shim’s notify.conf names VI_WEB, and keepalived has VI_FRONT' },
      { severity: 'warning', subject: 'a.conf VI_FRONT' },
    ]);
  });

  test('may name sync groups, and its FIFO counts', () => {
    const group = (text: string) =>
      `${text.replace('VI_1', 'VI_2').replace('_id 51', '_id 52')}${conf().replace(/^[\s\S]*(?=vrrp_instance)/, '')}vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\n}\n`;
    const text = group(conf()).replace(FIFO, '/run/x.fifo');
    expect(judged({ 'a.conf': text }, ['a.conf'], shim('G'))).toEqual([]);
    expect(checksOf(judged({ 'a.conf': text }, ['a.conf'], shim('VI_1')))).toEqual(['keepalived-instance']);
  });
});
