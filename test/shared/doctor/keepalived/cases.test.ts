// Files as people of this trade write them, and what is right to say of each.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checksOf, FIFO, faultsOf, judged, LEAVING } from './judge.ts';

const snippet = readFileSync(
  new URL('../../../../notify/lib/assets/keepalived-snippet.conf', import.meta.url),
  'utf8',
);

interface Node {
  readonly name?: string;
  readonly id?: number;
  readonly priority?: number;
  readonly from?: string;
  readonly to?: string;
  readonly advert?: string;
}

const instance = ({
  name = 'VI_EDGE',
  id = 71,
  priority = 110,
  from = '172.16.4.5',
  to = '172.16.5.5',
  advert = '1',
}: Node = {}) => `
vrrp_instance ${name} {
  state BACKUP
  interface ens5
  virtual_router_id ${id}
  priority ${priority}
  advert_int ${advert}
  unicast_src_ip ${from}
  unicast_peer {
    ${to}
  }
  virtual_ipaddress {
    198.51.100.7/32 dev lo
  }
}
`;
const heard = `global_defs {\n  vrrp_notify_fifo ${FIFO}\n}\n`;

/** Faults only: that nothing is tracked is a warning of all these. */
const faults = (files: Readonly<Record<string, string>>, given?: readonly string[]) =>
  faultsOf(judged(files, given));

describe('vipshift’s own snippet, taken in by include', () => {
  test('gives the FIFO and the version: no fault', () => {
    const files = {
      'k/keepalived.conf': `include snippet.conf\n${instance({ advert: '0.5' })}`,
      'k/snippet.conf': snippet,
    };
    expect(faults(files, ['k/keepalived.conf'])).toEqual([]);
  });

  test('from a path of the node: unchecked, and no fault', () => {
    const files = {
      'k.conf': `include /etc/vipshift/keepalived-snippet.conf\n${instance({ advert: '0.5' })}`,
    };
    expect(faults(files)).toEqual([]);
    expect(checksOf(judged(files))).toEqual(['unchecked']);
  });
});

describe('a configuration in parts', () => {
  const parts = {
    'keepalived.conf': '! ours\ninclude conf.d/*.conf\n',
    'conf.d/00-global.conf': 'global_defs {\n  router_id x\n  include ../parts/*.inc\n}\n',
    'conf.d/10-edge.conf': instance({ advert: '0.5' }),
    'parts/fifo.inc': `vrrp_version 3\nvrrp_notify_fifo ${FIFO}\n`,
  };

  test('is judged through its includes', () => {
    expect(faults(parts, ['keepalived.conf'])).toEqual([]);
    const silent = { ...parts, 'parts/fifo.inc': 'vrrp_version 3\n' };
    expect(checksOf(faults(silent, ['keepalived.conf']))).toEqual(['keepalived-notify']);
  });

  test('given part by part is one configuration', () => {
    expect(faults(parts, ['conf.d/00-global.conf', 'conf.d/10-edge.conf'])).toEqual([]);
    expect(faults(parts, ['conf.d/10-edge.conf', 'conf.d/00-global.conf'])).toEqual([]);
  });

  test('of which only the first file is here: told, not silent', () => {
    const found = judged({ 'keepalived.conf': parts['keepalived.conf'] });
    expect(checksOf(found)).toEqual(['unchecked', 'unchecked']);
  });
});

describe('one file for two hosts, with lines behind @', () => {
  const text = `${heard}
vrrp_instance VI_EDGE {
  interface ens5
  virtual_router_id 71
  @left priority 120
  @right priority 110
  @left unicast_src_ip 172.16.4.5
  @right unicast_src_ip 172.16.5.5
  unicast_peer {
    @right 172.16.4.5
    @left 172.16.5.5
  }
  virtual_ipaddress {
    198.51.100.7/32 dev lo
  }
}
`;
  test('has a priority on each: no fault, given once or for both nodes', () => {
    expect(faults({ 'one.conf': text })).toEqual([]);
    expect(faults({ 'one.conf': text, 'two.conf': text })).toEqual([]);
    expect(faults({ 'one.conf': text, 'two.conf': text }, ['left=one.conf', 'right=two.conf'])).toEqual([]);
  });
});

test('macros, one of them of several lines: the peers are there, and the interval is what version 2 cannot send', () => {
  const text = `$PRIO=120
$ADV=0.3
$WHO=\\
unicast_peer {\\
    172.16.5.5\\
}
$PIPE=${FIFO}
global_defs {
  vrrp_notify_fifo $PIPE
}
${instance({ advert: '$ADV' })
  .replace('110', '$PRIO')
  .replace(/unicast_peer \{[^}]*\}/, '$WHO')}`;
  expect(faults({ 'k.conf': text })).toMatchObject([
    { check: 'keepalived-version', found: expect.stringMatching(/^advert_int 0\.3 with VRRP version 2/) },
  ]);
});

describe('instances are compared by router id', () => {
  const left = heard + instance({ name: 'VI_LEFT' });

  test('whatever they are called', () => {
    const right = heard + instance({ name: 'VI_RIGHT', from: '172.16.5.5', to: '172.16.4.5' });
    expect(faults({ 'l.conf': left, 'r.conf': right })).toMatchObject([
      { check: 'keepalived-priorities', subject: 'l.conf VI_LEFT and r.conf VI_RIGHT' },
    ]);
  });

  test('and two of one name that have nothing to do with each other are not', () => {
    expect(faults({ 'l.conf': heard + instance(), 's.conf': heard + instance({ id: 72 }) })).toEqual([]);
  });
});

describe('two files that make two masters', () => {
  const right = (over: Node = {}) =>
    instance({ from: '172.16.5.5', to: '172.16.4.5', priority: 100, ...over });
  test.each([
    ['router ids', heard + right({ id: 72 })],
    ['versions', heard.replace('{', '{\n  vrrp_version 3') + right()],
    ['a block without a peer', heard + right({ to: '' })],
  ])('%s: a fault that names both', (_what, text) => {
    expect(faults({ 'l.conf': heard + instance(), 'r.conf': text })).toContainEqual(
      expect.objectContaining({ check: 'keepalived-two-masters', subject: 'l.conf and r.conf VI_EDGE' }),
    );
  });
});

test('vrrp_strict of keepalived’s own sample: a fault', () => {
  expect(faults({ 'k.conf': heard.replace('{', '{\n  vrrp_strict') + instance() })).toMatchObject([
    { check: 'keepalived-strict', subject: 'k.conf line 2' },
  ]);
});

test('a FIFO elsewhere, and states that are repeated on reload: two faults', () => {
  const text =
    heard.replace(FIFO, '/run/keepalived/fifo').replace('}', '  fifo_write_vrrp_states_on_reload\n}') +
    instance();
  expect(checksOf(faults({ 'k.conf': text }))).toEqual(['keepalived-notify', 'keepalived-reload']);
});

test('a name in notify.conf that keepalived no longer has: what it has instead', () => {
  const found = judged({ 'k.conf': heard + instance({ name: 'VI_FRONT' }) }, ['k.conf'], {
    fifo: FIFO,
    leavingFile: LEAVING,
    vipsOf: new Map([['VI_EDGE', ['web']]]),
  });
  expect(faultsOf(found)).toMatchObject([
    {
      check: 'keepalived-instance',
      found: 'the shim’s notify.conf names VI_EDGE, and keepalived has VI_FRONT',
      remedy: 'in notify.conf, name one of VI_FRONT instead of VI_EDGE',
    },
  ]);
});
