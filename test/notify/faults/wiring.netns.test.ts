// A keepalived that does not write into the FIFO, on a machine with systemd, where the daemon may not look at its descriptors.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BootedMachine } from '../../../lab/booted/booted-machine.ts';
import { lonelyNetwork } from '../../../lab/booted/node-files.ts';

const keepalivedConf = (global: string): string => `global_defs {
    router_id a
    vrrp_version 3
    ${global}
}
vrrp_instance VI_WEB {
    state BACKUP
    interface ens5
    virtual_router_id 51
    priority 100
    advert_int 1
    unicast_src_ip 10.9.9.1
    unicast_peer {
        10.9.9.2
    }
    virtual_ipaddress {
        192.0.2.51/32 dev lo
    }
}
`;
const WIRED = 'vrrp_notify_fifo /run/vipshift/notify.fifo root';

let machine: BootedMachine;
beforeAll(async () => {
  machine = await BootedMachine.boot({
    name: 'wiring',
    files: {
      '/etc/keepalived/keepalived.conf': keepalivedConf(''),
      '/etc/systemd/system/networking.service': lonelyNetwork('10.9.9.1/24'),
      '/var/log/journal/.keep': '',
    },
    enabled: ['networking.service'],
  });
});
afterAll(() => machine?.stop());

const journal = 'journalctl -b -u vipshift-notify -o cat --no-pager';
const heard = (what: string, text: string, times = 1) =>
  machine.until(what, `[ $(${journal} | grep -cF '${text}') -ge ${times} ]`);
const configure = (global: string) =>
  machine.bash(
    `cat >/etc/keepalived/keepalived.conf <<'END'\n${keepalivedConf(global)}END\nsystemctl reload keepalived`,
  );

test('is reported after its start and after each reload, and so is the end of it', async () => {
  await machine.run('/root/notify/vipshift-notify', 'install', '--bus', 'prod', '--instance', 'VI_WEB=web');
  await machine.run('systemctl', 'daemon-reload');
  await machine.run('systemctl', 'restart', 'keepalived');
  await heard('the shim to report the start', 'keepalived does not have the FIFO');
  expect(await machine.attempt('vipshift-notify', 'selftest')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(
      /keepalived \(process \d+\) does not have the FIFO \S+ open: is vrrp_notify_fifo set/,
    ),
  });
  await configure(WIRED);
  await heard('the shim to report that it is over', 'over: keepalived does not have the FIFO');
  await configure('');
  await heard('the shim to report the reload', 'keepalived does not have the FIFO', 3);
});

test('has its lines in the journal with priorities, and each with the name once', async () => {
  const lines = (await machine.run('journalctl', '-b', '-u', 'vipshift-notify', '-o', 'json', '--no-pager'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { PRIORITY: string; MESSAGE: string; SYSLOG_IDENTIFIER: string });
  const own = lines.filter((line) => line.SYSLOG_IDENTIFIER === 'vipshift-notify');
  expect(own.length).toBeGreaterThan(2);
  for (const { MESSAGE } of own) expect(MESSAGE).not.toMatch(/^(<\d>|vipshift-notify:)/);
  const priority = (text: string) => own.find(({ MESSAGE }) => MESSAGE.startsWith(text))?.PRIORITY;
  expect(priority('keepalived does not have the FIFO')).toBe('3');
  expect(priority('version ')).toBe('6');
});
