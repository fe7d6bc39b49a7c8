// The programs that the live harness puts onto machines, as processes on loopback, and its way to them through SSM.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, describe, expect, it } from 'vitest';
import { poll } from '../../lab/aws/stack/poll.ts';
import { type Ssm, ssmOf } from '../../live/aws/ssm.ts';
import { ssmMachines } from '../../live/aws/ssm-machines.ts';
import { untilSettled } from '../../live/aws/stacks.ts';
import { userData } from '../../live/build/user-data.ts';
import { type Stretch, stretchesFrom } from '../../live/machines.ts';
import { runOf } from '../../live/run-id.ts';

const onNode = (file: string) => join(import.meta.dirname, '..', '..', 'live', 'on-node', file);
const children: ChildProcess[] = [];
const folders: string[] = [];
const servers: Server[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

function python(file: string, ...args: readonly string[]): ChildProcess {
  const child = spawn('python3', [onNode(file), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

/** A loopback address that no one else listens at: a port that was found free could be taken by the time that it is used. */
const ownAddress = (): string => `127.${[77, randomInt(256), randomInt(1, 255)].join('.')}`;
const PORT = 7000;

async function echo(name: string, address: string): Promise<ChildProcess> {
  const child = python('echo.py', name, address, String(PORT));
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  return child;
}

describe('probe and echo', () => {
  it('show who answered from when to when, and that no one did in between', async () => {
    const address = ownAddress();
    const folder = mkdtempSync(join(tmpdir(), 'vipshift-drill-'));
    folders.push(folder);
    const first = await echo('a', address);
    const probe = python('probe.py', address, String(PORT), '2', folder);
    const answers = async (fromMs: number): Promise<readonly Stretch[]> => {
      const env = { ...process.env, DRILL_FOLDER: folder };
      const args = [onNode('drill.bash'), 'answers', String(fromMs)];
      return stretchesFrom((await promisify(execFile)('bash', args, { env })).stdout);
    };
    // A stretch is as long as the machine lets the probe be in time.
    const answered = async (who: string) =>
      poll(`an answer of ${who}`, async () => (await answers(0)).find((s) => s.who === who && s.count > 1));
    const end = async (child: ChildProcess) => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    };
    await answered('a');
    await end(first);
    const noOneMs = Date.now();
    await echo('b', address);
    await answered('b');
    await end(probe);
    const all = await answers(0);
    const [a, b] = ['a', 'b'].map((who) => all.filter((s) => s.who === who));
    expect([...a!, ...b!], 'first a alone, then b alone').toEqual(all);
    expect(b![0]!.firstMs).toBeGreaterThan(a!.at(-1)!.lastMs);
    expect(b![0]!.firstMs).toBeGreaterThanOrEqual(noOneMs);
    const fromMs = b![0]!.firstMs;
    expect(await answers(fromMs)).toEqual(all.filter(({ lastMs }) => lastMs >= fromMs));
  });

  it('answer a connection, too, with the name of the node', async () => {
    const address = ownAddress();
    await echo('b', address);
    const said = await new Promise<string>((resolve, reject) => {
      let text = '';
      connect(PORT, address)
        .on('data', (chunk) => {
          text += chunk.toString();
        })
        .on('end', () => resolve(text))
        .on('error', reject);
    });
    expect(said).toBe('b\n');
  });
});

interface Asked {
  readonly action: string;
  readonly body: Record<string, unknown>;
  readonly authorization: string;
}

/** An SSM that runs no command, but answers as scripted. */
async function fakeSsm(
  answer: (asked: Asked, nth: number) => readonly [status: number, body: object] | 'reset',
) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const action = String(request.headers['x-amz-target']).split('.')[1]!;
      const one = {
        action,
        body: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>,
        authorization: String(request.headers.authorization),
      };
      asked.push(one);
      const sent = answer(one, asked.filter((a) => a.action === action).length);
      if (sent === 'reset') return request.socket.destroy();
      const [status, body] = sent;
      return response
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify(body));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret', sessionToken: 'token' };
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new SSMClient({ endpoint, credentials, region: 'eu-central-1', maxAttempts: 1 });
  return { asked, ssm: ssmOf(client) };
}

describe('a command through SSM', () => {
  const done = {
    Status: 'Success',
    ResponseCode: 0,
    StandardOutputContent: '17\n',
    StandardErrorContent: '',
  };
  const started = [200, { Command: { CommandId: 'c-1' } }] as const;

  it('is signed, awaited while it is pending or not yet known, and gives its output', async () => {
    const { asked, ssm } = await fakeSsm(({ action }, nth) => {
      if (action === 'SendCommand') return started;
      if (nth === 1) return [400, { __type: 'com.amazonaws#InvocationDoesNotExist', message: 'not yet' }];
      return [200, nth === 2 ? { ...done, Status: 'InProgress' } : done];
    });
    expect(await ssm.run('i-1', 'echo 17', 5_000)).toBe('17\n');
    expect(asked.map(({ action }) => action)).toEqual([
      'SendCommand',
      ...Array(3).fill('GetCommandInvocation'),
    ]);
    expect(asked[0]!.body).toMatchObject({ InstanceIds: ['i-1'], Parameters: { commands: ['echo 17'] } });
    expect(asked[0]!.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d{8}\/eu-central-1\/ssm\//,
    );
    expect(asked[0]!.authorization).toContain('x-amz-security-token');
  });

  it('that fails says on which instance and why', async () => {
    const failed = { ...done, Status: 'Failed', ResponseCode: 3, StandardErrorContent: 'no such unit' };
    const { ssm } = await fakeSsm(({ action }) => (action === 'SendCommand' ? started : [200, failed]));
    await expect(ssm.run('i-1', 'systemctl x', 5_000)).rejects.toThrow(
      'i-1: systemctl x: Failed: no such unit',
    );
  });

  it('that never ends is given up', async () => {
    const { ssm } = await fakeSsm(({ action }) =>
      action === 'SendCommand' ? started : [200, { ...done, Status: 'InProgress' }],
    );
    await expect(ssm.run('i-1', 'sleep 1d', 1)).rejects.toThrow('i-1 did not end within 1 ms');
  });

  it('is sent again when it was throttled, and not when it is unknown whether it runs', async () => {
    const throttled = await fakeSsm(({ action }, nth) => {
      if (action === 'SendCommand') return nth === 1 ? [400, { __type: 'ThrottlingException' }] : started;
      return [200, done];
    });
    expect(await throttled.ssm.run('i-1', 'x', 5_000)).toBe('17\n');
    expect(throttled.asked.filter(({ action }) => action === 'SendCommand')).toHaveLength(2);
    const lost = await fakeSsm(() => 'reset');
    await expect(lost.ssm.run('i-1', 'x', 5_000)).rejects.toThrow();
    expect(lost.asked).toHaveLength(1);
  });

  it('that SSM refuses says with which code', async () => {
    const { ssm } = await fakeSsm(() => [400, { __type: 'AccessDeniedException', Message: 'not you' }]);
    await expect(ssm.run('i-1', 'x', 1)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: 'not you',
    });
  });
});

describe('the machines of a run on AWS', () => {
  const instances = {
    a: { instanceId: 'i-a', eni: 'eni-a', zone: 'z1' },
    b: { instanceId: 'i-b', eni: 'eni-b', zone: 'z2' },
    probe: { instanceId: 'i-p', eni: 'eni-p', zone: 'z1' },
  };

  it('get the shim one after the other, so that a is the first master, and are broken and repaired by their own program', async () => {
    const sent: (readonly [instance: string, script: string])[] = [];
    const ssm: Ssm = {
      image: () => Promise.resolve('ami-1'),
      online: (all) => Promise.resolve(all),
      run(instance, script) {
        sent.push([instance, script]);
        if (script.includes('hit')) return Promise.resolve('1795340400123.456\n');
        if (script.includes('answers')) return Promise.resolve('a 1.000 2.000 3\n');
        return Promise.resolve(instance === 'i-p' ? '0.412\n' : '?\n');
      },
    };
    const run = runOf('0a0a0a0a');
    const machines = await ssmMachines(ssm, run, instances, new AbortController().signal);
    const installs = sent.filter(([, script]) => script.includes('vipshift-notify install'));
    expect(installs.map(([instance]) => instance)).toEqual(['i-a', 'i-b']);
    expect(installs[0]![1]).toContain(
      'install --bus vipshift-drill-0a0a0a0a --instance VI_WEB=drill-0a0a0a0a',
    );
    const firstOfB = sent.findIndex(([instance, script]) => instance === 'i-b' && script.includes('base64'));
    expect(sent.slice(0, firstOfB)).toContainEqual(installs[0]);
    expect(await machines.hit('b', 'demote')).toBe(1795340400123.456);
    await machines.repair('b', 'crash');
    expect(sent.at(-1)).toEqual(['i-b', expect.stringContaining('systemctl restart')]);
    expect(await machines.answers(17)).toEqual([{ who: 'a', firstMs: 1, lastMs: 2, count: 3 }]);
    expect(await machines.clocks()).toEqual({ a: undefined, b: undefined, probe: 0.412 });
  });

  it('lay out at their first boot what their units name, and say that they are ready', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vipshift-boot-'));
    folders.push(folder);
    mkdirSync(join(folder, 'bin'));
    // What changes a machine is not run here, only noted.
    for (const program of [
      'dnf',
      'systemctl',
      'dd',
      'mkswap',
      'swapon',
      'swapoff',
      'chmod',
      'keepalived',
      'rm',
    ])
      writeFileSync(join(folder, 'bin', program), `#!/bin/bash\necho "${program} $*" >>${folder}/ran\n`, {
        mode: 0o755,
      });
    for (const name of ['b', 'probe'] as const) {
      const script = userData(name, 1).replaceAll(/(?<=[ '])\/(?=etc|usr\/lib)/g, `${folder}/`);
      const env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` };
      await promisify(execFile)('bash', ['-c', script], { env });
    }
    const units = join(folder, 'etc', 'systemd', 'system');
    const named = ['vipshift-drill-echo.service', 'vipshift-drill-probe.service'].flatMap((unit) =>
      [...readFileSync(join(units, unit), 'utf8').matchAll(/python3 (\S+)/g)].map(([, program]) => program!),
    );
    expect(named).toHaveLength(2);
    for (const program of named)
      expect(existsSync(program.startsWith(folder) ? program : join(folder, program))).toBe(true);
    expect(readFileSync(join(folder, 'etc', 'keepalived', 'keepalived.conf'), 'utf8')).toContain(
      'priority 253',
    );
    const ran = readFileSync(join(folder, 'ran'), 'utf8');
    expect(ran).toContain('dnf -y -q install keepalived');
    expect(ran).toContain('systemctl enable --now vipshift-drill-echo.service');
    // keepalived waits for the shim.
    expect(ran).not.toContain('keepalived.service');
    expect(existsSync(join(folder, 'usr/lib/vipshift-drill/ready'))).toBe(true);
  });
});

describe('a stack', () => {
  const saying = (...said: readonly (string | undefined)[]) => {
    const left = [...said];
    return () => {
      const status = left.length > 1 ? left.shift() : left[0];
      return Promise.resolve(status === undefined ? undefined : { status, tags: {}, outputs: {} });
    };
  };

  it('is waited for while CloudFormation is at work on it, and not for ever', async () => {
    const find = saying('UPDATE_IN_PROGRESS', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'UPDATE_COMPLETE');
    expect(await untilSettled({ find, pauseMs: 0 })).toMatchObject({ status: 'UPDATE_COMPLETE' });
    expect(await untilSettled({ find: saying(undefined), pauseMs: 0 })).toBeUndefined();
    const never = { find: saying('DELETE_IN_PROGRESS'), pauseMs: 0 };
    await expect(untilSettled({ ...never, maxMs: 0 })).rejects.toThrow('DELETE_IN_PROGRESS');
    const signal = AbortSignal.abort(new Error('SIGINT'));
    await expect(untilSettled({ ...never, signal })).rejects.toThrow();
  });
});
