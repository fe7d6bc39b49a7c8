// Single decisions of the daemon that no test can bring about from outside, or not for sure.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shimPath, startNode } from '../../../lab/shim/node.ts';

const lib = join(shimPath, '../lib');

const ownProcesses = [...(process.getuid?.() === 0 ? [] : ['-Ur']), '-pf', '--mount-proc', '--kill-child'];

/** What the program loads for the daemon, in its order; but for what looks for the programs that it needs. */
const program = readFileSync(shimPath, 'utf8');
const parts = [
  ...program.slice(0, program.indexOf('/daemon.bash"') + 13).matchAll(/source "\$LIB\/(.+)\.bash"/g),
]
  .map(([, part]) => part)
  .filter((part) => part !== 'requirements');

/** What a script says that has the daemon's functions, run by a command if need be. */
function inDaemon(script: string, ...by: string[]): string {
  const whole = `set -uf; DEFAULT_CONFIG=/none FOR_JOURNAL=0 PROXY_IN_ENVIRONMENT=''; printable() { REPLY=$1; }
for part in ${parts.join(' ')}; do source "$0/$part.bash"; done
${script}`;
  const [first, ...args] = [...by, 'bash', '-c', whole, lib];
  return execFileSync(first!, args, { encoding: 'utf8' }).trim();
}

test('a keepalived is known by its name or its command line, and a program whose name only begins like that is none', () => {
  // In a pid namespace of their own: other tests count the keepalived processes of this machine.
  const script = `
told() { is_keepalived "$1" && echo "$2" || echo "$2: no"; }
for name in /usr/sbin/keepalived keepalived keepalived-exporter /opt/keepalived_exporter /usr/bin/tail; do
  (exec -a "$name" sleep infinity) & pid=$!
  until IFS= read -r -d '' word <"/proc/$pid/cmdline" && [[ $word == "$name" ]]; do :; done
  told $pid "$name"
done
for name in keepalived keepalived_vrrp keepalived_lvs keepalived_bfd keepalived_expo; do
  (printf %s "$name" >/proc/self/comm; exec {fd}<> <(:); read -r -u $fd _) & pid=$!
  until [[ $(</proc/$pid/comm) == "$name" ]]; do :; done
  told $pid "named $name"
done 2>/dev/null`;
  expect(inDaemon(script, 'unshare', ...ownProcesses).split('\n')).toEqual([
    '/usr/sbin/keepalived',
    'keepalived',
    'keepalived-exporter: no',
    '/opt/keepalived_exporter: no',
    '/usr/bin/tail: no',
    'named keepalived',
    'named keepalived_vrrp',
    'named keepalived_lvs',
    'named keepalived_bfd',
    'named keepalived_expo: no',
  ]);
});

describe('the loop', () => {
  const state =
    'NOW_MS=100000 USER_ID=x CREDENTIALS_DUE_MS=900000 NOTICES_DUE_MS=900000 RETRY_AT_MS=104000 ASSERT_AT=([web]=99000 [db]=103000)';
  test('sleeps until the next attempt while assertions wait for it: those that fall due meanwhile are not made', () => {
    expect(inDaemon(`${state}; READY=([web]=claim); next_wait; echo $WAIT_MS`)).toBe('3000');
    expect(inDaemon(`${state}; next_wait; echo $WAIT_MS`)).toBe('1');
  });
});

test('what a request that was given up had been answered is not taken for the answer to the next one', async () => {
  const node = await startNode();
  try {
    // The first curl says that all is well when it is ended, which is too late.
    const curl = `#!/bin/bash
if [[ "$*" == *PutEvents* && ! -e ${node.folder}/hung ]]; then
  : >${node.folder}/hung
  trap 'kill $!; printf "%s\\n" "{\\"FailedEntryCount\\":0,\\"Entries\\":[{\\"EventId\\":\\"of-the-first\\"}]}"; exit 0' TERM
  sleep 60 & wait
fi
exec /usr/bin/curl "$@"
`;
    writeFileSync(join(node.folder, 'curl'), curl, { mode: 0o755 });
    node.bus.fate = (request) =>
      request === 1 ? { kind: 'partial', code: () => 'ThrottlingException' } : { kind: 'accept' };
    await node.start({ PATH: `${node.folder}:${process.env.PATH}` });
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => node.bus.accepted.some(({ detail }) => detail.kind === 'transition'));
    await expect.poll(() => node.stderr(), { timeout: 60_000 }).toContain('curl did not end in time');
  } finally {
    await node.stop();
  }
});

test('a state that only keepalived’s answer told is reported as that where no one may see its descriptors, until a line tells one', () => {
  const script = `NOW_MS=500000 NOW_US=500000000 LISTENING_FROM_MS=1000 VIP_NAMES=(web) NAMED_BY=([web]='INSTANCE VI_WEB')
say() { :; }; read_clock() { :; }; WORD[web]='BACKUP 100 5000000'
ANSWER_STATE=MASTER ANSWER_PRIORITY=100 ANSWER_CHANGED_US=0
assert_answer web 400000000 1; echo "$WIRING_ERROR"
heard_through_fifo 'INSTANCE VI_WEB'; echo "then: \${WIRING_ERROR:-nothing}"`;
  expect(inDaemon(script).split('\n')).toEqual([
    expect.stringMatching(
      /^keepalived says MASTER of INSTANCE VI_WEB, but nothing came through the FIFO \S+: is vrrp_notify_fifo set/,
    ),
    'then: nothing',
  ]);
});

test('keepalived that comes after the shim is asked all the same; a program in its place that hangs holds nothing up', () => {
  const script = `keepalived() { :; }; export -f keepalived
CONFIG[keepalived_pid]=auto CONFIG[keepalived_json]=auto
timeout() { [[ $1 == 0.5 ]] && echo 36; }
learn_to_ask 2; echo "at start: \${JSON_SIGNAL:-none}"
find_keepalived() { KEEPALIVED=running KEEPALIVED_PID=77; }; look_at_descriptors() { WIRING=unknown; }
NOW_MS=100000; watch_keepalived; echo "later: $JSON_SIGNAL"`;
  expect(inDaemon(script)).toBe('at start: none\nlater: 36');
});
