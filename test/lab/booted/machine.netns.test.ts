import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BootedMachine } from '../../../lab/booted/booted-machine.ts';
import { makeCgroup } from '../../../lab/booted/cgroup.ts';
import { descendantsOf, isLiving } from '../processes.ts';

const bootId = '/proc/sys/kernel/random/boot_id';

describe('a booted machine', () => {
  let machine: BootedMachine;
  beforeAll(async () => {
    machine = await BootedMachine.boot({
      name: 'rig',
      files: {
        '/usr/local/bin/hello': '#!/bin/sh\necho "hello from $(cat /etc/hostname)"\n',
        '/etc/systemd/system/left.service':
          '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n',
      },
      enabled: ['left.service'],
    });
  });
  afterAll(() => machine?.stop());

  it('has systemd as its first process, and a name, boot id, uptime and network of its own', async () => {
    expect(await machine.run('cat', '/proc/1/comm')).toBe('systemd\n');
    expect(await machine.run('hello')).toBe('hello from rig\n');
    expect(await machine.run('cat', bootId)).not.toBe(readFileSync(bootId, 'utf8'));
    expect(Number((await machine.run('cat', '/proc/uptime')).split(' ')[0])).toBeLessThan(60);
    expect(await machine.run('ip', '-o', 'link')).toMatch(/^1: lo: .*\n$/);
  });

  it('runs the units that it is given, and none that are enabled on this machine', async () => {
    expect(await machine.run('systemctl', 'is-active', 'left')).toBe('active\n');
    const wanted = await machine.run('bash', '-c', 'echo /etc/systemd/system/*.wants/*');
    expect(wanted.trim()).toBe('/etc/systemd/system/multi-user.target.wants/left.service');
  });

  it('says what a command said that failed', async () => {
    await expect(machine.run('cat', '/none')).rejects.toThrow(
      'cat /none ended with 1: cat: /none: No such file',
    );
    expect(await machine.attempt('sh', '-c', 'exit 3')).toMatchObject({ status: 3 });
  });

  it('keeps its disk over a reboot and a poweroff, and neither its boot id nor /run', async () => {
    const first = await machine.run('cat', bootId);
    await machine.bash('touch /var/kept /run/gone');
    await machine.begin('reboot');
    await machine.rebooted();
    expect(await machine.run('sh', '-c', 'ls /var/kept /run/gone 2>/dev/null; true')).toBe('/var/kept\n');
    const second = await machine.run('cat', bootId);
    expect(second).not.toBe(first);
    await machine.begin('poweroff');
    await machine.off();
    expect(await machine.attempt('true')).toMatchObject({ status: 'off' });
    await machine.powerOn();
    expect(await machine.run('cat', '/var/kept', bootId)).not.toBe(second);
  });
});

it('leaves nothing when it is stopped: no process, no control group', async () => {
  const machine = await BootedMachine.boot({ name: 'gone' });
  const nspawn = descendantsOf(process.pid).filter(({ command }) => command.startsWith('systemd-nspawn'));
  expect(nspawn).toHaveLength(1);
  const group = readFileSync(`/proc/${nspawn[0]!.pid}/cgroup`, 'utf8').match(/^0::\/(vipshift-[^/]+)/m)![1]!;
  await machine.stop();
  expect(nspawn.filter(isLiving)).toEqual([]);
  for (const mount of ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'])
    expect(existsSync(`${mount}/${group}`)).toBe(false);
});

it('ends the processes of a control group as it removes it', async () => {
  const cgroup = makeCgroup(`vipshift-test-${process.pid}`, ['a']);
  const folders = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].map((mount) => `${mount}/${cgroup.path}`);
  const folder = folders.find((one) => existsSync(one))!;
  const child = spawn('sh', ['-c', 'exec sleep 60'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  writeFileSync(`${folder}/a/cgroup.procs`, String(child.pid));
  await cgroup.remove();
  expect(await ended).toEqual([null, 'SIGKILL']);
  expect(existsSync(folder)).toBe(false);
});
