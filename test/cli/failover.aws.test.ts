// `vipshift failover`, `approve` and `deny` from their front door, on the deployed service with the nodes played: process in,
// streams and status out.
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateTagsCommand,
  DescribeNetworkInterfacesCommand,
  RevokeSecurityGroupIngressCommand,
} from '@aws-sdk/client-ec2';
import { afterEach, describe, expect, test } from 'vitest';
import { childEnv } from '../../lab/aws/local-aws.ts';
import { poll } from '../../lab/aws/stack/poll.ts';
import { invoke, STAGE, VIP } from '../../lab/aws/stack/stack.ts';
import { vrrp } from '../../lab/aws/stack/vpc.ts';
import { epochMs } from '../../shared/time.ts';
import { newVip, withFreeze } from '../../shared/vip/vip.ts';
import { states } from '../e2e/stage/aws-json.ts';
import {
  asKeepalivedDoes,
  change,
  expectOn,
  id,
  nodes,
  orders,
  says,
  settled,
  stack,
  stageOrders,
} from '../e2e/stage/order-stage.ts';
import { documents, type Ran, run } from './front-door/command-line.ts';

stageOrders();

/** In a pattern, as people read it. */
const named = (node: 'a' | 'b') => `node-${node} \\(${id(node)}\\)`;

const env = () => ({ ...childEnv(stack.aws), VIPSHIFT_STAGE: STAGE });
const vipshift = (...args: readonly string[]): Promise<Ran> => run(args, env());
const toB = (...more: readonly string[]) =>
  vipshift('failover', VIP, '--to', id('b'), '--reason', 'kernel', ...more);
const only = (ran: Ran) => {
  const found = documents(ran.stdout);
  expect(found).toHaveLength(1);
  return found[0]!;
};
/** What `vipshift timeline` and AWS know the caller by. */
const CALLER = /^arn:aws:iam::\d{12}:/;
const arnOf = (name: string) =>
  `${stack.deployment.outputs.FailoverMachineArn!.replace(':stateMachine:', ':execution:')}:${name}`;

/** Nothing may wait for approval into the next test. */
afterEach(async () => {
  const { stdout } = await vipshift('approve', '--list', '--json');
  for (const { execution } of documents(stdout))
    await vipshift('deny', VIP, '--execution', String(execution), '--reason', 'the test is over');
});

describe('failover', () => {
  test('moves a VIP that lies on both nodes by its routes, follows it on stderr, and answers on stdout alone', async () => {
    const ran = await toB('--for', '10m');
    expect(ran.stdout).toMatch(
      new RegExp(
        `^web is at ${named('b')}, epoch \\d+; it was at ${named('a')}: switched in \\d+ ms, read back from EC2\\n$`,
      ),
    );
    expect(ran.status).toBe(0);
    await expectOn('b');
    const said = ran.stderr.split('\n');
    expect(said[0]).toMatch(
      /^web-\d{8}T\d{6}Z-\w{8}: web to node-b \(i-\w+\), routes-only, pinned for 10 min: begins$/,
    );
    const progress = said.filter((line) => /^ +\d+\.\d s {2}/.test(line)).map((line) => line.slice(10));
    expect(progress).toEqual([
      `checking whether web can move to node-b (${id('b')})`,
      'recording the order',
      'marking web as under way, if nothing has changed',
      'moving routes and EIPs',
      'reading EC2 back',
      'sending the notification',
    ]);
    expect(ran.stderr).toMatch(
      /pinned there until \d{4}-\S+Z; to end it: vipshift unpin web --stage dev --region eu-central-1\n/,
    );
    expect(ran.stderr, 'keepalived is still master on a').toMatch(
      new RegExp(
        `\nwhen the pin ends at \\S+Z, web goes back to ${named('a')} unless keepalived’s master is ${named('b')} by then\n`,
      ),
    );
    const { epoch, pin } = await settled(id('b'));
    expect(ran.stderr).toMatch(
      new RegExp(`the record in full: vipshift explain web/${epoch} --stage dev --region eu-central-1\n$`),
    );
    expect(pin).toMatchObject({ node: id('b'), reason: 'kernel', by: expect.stringMatching(CALLER) });
    expect(nodes.commands, 'keepalived is left alone').toEqual([]);
  });

  test('orders nothing where the VIP is there already, and ends with 0: scripts order twice', async () => {
    const { owner, epoch } = (await stack.vips.read(VIP))!;
    const args = ['failover', VIP, '--to', owner!, '--reason', 'again'];
    const ran = await vipshift(...args);
    expect(ran).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(
        new RegExp(`^web is at node-[ab] \\(${owner}\\) already, epoch ${epoch}: nothing was ordered\n$`),
      ),
    });
    expect(ran.stderr).toContain(
      `vipshift pin web --to ${owner} --reason … --stage dev --region eu-central-1`,
    );
    expect(only(await vipshift(...args, '--json'))).toEqual({
      vip: VIP,
      to: owner,
      outcome: 'unchanged',
      epoch,
    });
    expect((await stack.vips.read(VIP))!.epoch).toBe(epoch);
  });

  test('moves a VIP that the master alone holds via keepalived, and --json is one document', async () => {
    await change((vip) => ({ ...vip, hold: 'master' }));
    nodes.onCommand = asKeepalivedDoes;
    const ran = await toB('--json', '--claim-wait', '40', '--release', 'by-hand');
    await change((vip) => ({ ...vip, hold: 'both' }));
    expect(ran.status).toBe(0);
    const told = only(ran);
    expect(told).toMatchObject({
      ...{ vip: VIP, from: id('a'), to: id('b'), mode: 'via-keepalived', outcome: 'done' },
      failover: { outcome: 'switched', to: id('b'), verified: true },
    });
    expect(told, 'no pin unless asked').not.toHaveProperty('pinnedUntil');
    expect(nodes.commands[0]).toMatchObject({ node: id('a'), demoted: true });
    expect(ran.stderr).toMatch(/demoting the master with keepalived’s tracked file \(SSM\)\n/);
    expect(ran.stderr).toMatch(new RegExp(`waiting for ${named('b')} to report MASTER\n`));
    expect(ran.stderr, 'there is no standby until it is released').toMatch(
      new RegExp(
        `Still demoted: ${id('a')} \\(ordered so\\)\\..*\n +aws ssm send-command .*Demoted=0 --region eu-central-1\n`,
      ),
    );
    await expectOn('b');
  });

  test('that is refused names every reason, moves nothing, and ends with 3', async () => {
    const until = { untilMs: epochMs(Date.now() + 3_600_000), by: 'someone else', reason: 'hands off' };
    await change((vip) => withFreeze(vip, until));
    const ran = await toB();
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toMatch(
      /vipshift: refused, nothing was moved: frozen until .* by someone else: hands off\n {2}next: to end the freeze: vipshift unfreeze web --stage dev --region eu-central-1; then order it again; check: vipshift status web --stage dev --region eu-central-1\n$/,
    );
    expect(only(await toB('--json'))).toMatchObject({
      outcome: 'refused',
      why: /frozen until/,
      owner: id('a'),
    });
    await expectOn('a');
  });

  test('that fails goes back, says where the VIP is and what to do, and ends with 1', async () => {
    nodes.dead = true;
    const ran = await toB('--mode', 'via-keepalived');
    nodes.dead = false;
    expect(ran).toMatchObject({ status: 1, stdout: '' });
    expect(ran.stderr).toMatch(
      new RegExp(
        `vipshift: the failover failed: .*InvalidInstanceId.*\n  web is at ${named('a')} now\n  next: the node’s SSM agent .*vipshift status web`,
      ),
    );
    await expectOn('a');
  });

  test('of an unknown VIP or stage is refused before anything is started', async () => {
    const wbe = await vipshift('failover', 'wbe', '--to', id('b'), '--reason', 'x');
    expect(wbe).toMatchObject({ status: 3, stdout: '' });
    expect(wbe.stderr).toMatch(
      /there is no VIP wbe in the registry\n {2}next: did you mean web\? vipshift vip list/,
    );
    const none = await run(['failover', VIP, '--to', id('b'), '--reason', 'x'], {
      ...env(),
      VIPSHIFT_FAILOVER_MACHINE: `${stack.deployment.outputs.FailoverMachineArn!}s`,
    });
    expect(none).toMatchObject({ status: 4, stdout: '' });
    expect(none.stderr).toMatch(
      /StateMachineDoesNotExist.*\n {2}next: .*check --stage and --region.*--break-glass/,
    );
  });
});

describe('failover --dry-run', () => {
  test('prints the plan and changes nothing', async () => {
    const before = await settled(id('a'));
    const ran = await toB('--dry-run');
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(
      new RegExp(
        `^web can move to ${named('b')} now; it is at ${named('a')}: 9 calls at once\nCALL +CELL +FROM +TO\n`,
      ),
    );
    expect(ran.stdout.match(/^ReplaceRoute +rtb-/gm)).toHaveLength(8);
    expect(ran.stdout.match(/^AssociateAddress +eipalloc-/gm)).toHaveLength(1);
    expect(ran.stderr).toMatch(/a dry run: nothing was changed\n$/);
    expect(only(await toB('--dry-run', '--json'))).toMatchObject({ outcome: 'fit', plan: { length: 9 } });
    expect(await stack.vips.read(VIP)).toEqual(before);
    await expectOn('a');
  });

  test('asks the doctor’s questions of the node: what it finds is printed with its remedy, and ends with 1', async () => {
    const { Groups } = (
      await stack.ec2.send(
        new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [stack.vpc.nodes.b.serviceEni] }),
      )
    ).NetworkInterfaces![0]!;
    const rule = { GroupId: Groups![0]!.GroupId!, IpPermissions: [vrrp] };
    await stack.ec2.send(new RevokeSecurityGroupIngressCommand(rule));
    // Another VIP's Elastic IP may come to the same ENI.
    const web = (await stack.vips.read(VIP))!;
    const pub = { ...web, name: 'pub', addresses: [], eips: ['eipalloc-0pub'] };
    await stack.vips.write(undefined, { ...newVip(pub), members: web.members });
    try {
      const ran = await toB('--dry-run');
      expect(ran.status).toBe(1);
      expect(ran.stdout).toContain(`but ${id('b')} could not serve it; the doctor found:\n`);
      expect(ran.stdout).toMatch(
        /\nfault eip-no-room 2 VIPs eni-\w+\n {2}found .*\n {2}expected .*\n {2}remedy {4}aws ec2 assign-private-ip-addresses /,
      );
      expect(ran.stdout).toMatch(
        /\nfault group-vrrp web .*\n.*\n.*\n {2}remedy {4}aws ec2 authorize-security-group-ingress /,
      );
      const told = only(await toB('--dry-run', '--json'));
      const checks = (list: unknown) => (list as { check: string }[]).map(({ check }) => check);
      const asked = documents((await vipshift('doctor', VIP, '--no-probe', '--json')).stdout);
      expect(checks(told.findings)).toEqual(expect.arrayContaining(['eip-no-room', 'group-vrrp']));
      expect(checks(asked)).toEqual(expect.arrayContaining(checks(told.findings)));
    } finally {
      const there = (await stack.vips.read('pub'))!;
      await stack.vips.write(there, { ...there, removedAtMs: epochMs(Date.now()) });
      await stack.ec2.send(new AuthorizeSecurityGroupIngressCommand(rule));
    }
  });

  test('that finds reasons against it prints them and ends with 1', async () => {
    const args = ['failover', VIP, '--to', 'i-0123456789abcdef0', '--reason', 'x', '--dry-run'];
    const ran = await vipshift(...args);
    expect(ran.status).toBe(1);
    expect(ran.stdout).toMatch(
      /^web cannot move to i-0123456789abcdef0 now:\n {2}not fit: i-0123456789abcdef0 is not a member\n/,
    );
    const told = only(await vipshift(...args, '--json'));
    expect(told).toMatchObject({
      outcome: 'refused',
      reasons: expect.arrayContaining([expect.stringMatching(/not a member/)]),
    });
    expect(
      Object.keys(told).some((key) => key.startsWith('_')),
      'nothing of the emulator',
    ).toBe(false);
  });
});

describe('a table with a mistyped label', () => {
  test('is left, and named by the dry run, at the beginning, and at the end', async () => {
    const table = stack.vpc.tables.find((t) => t.name === 'clients-a')!.routeTableId;
    const tag = (Value: string) =>
      stack.ec2.send(
        new CreateTagsCommand({ Resources: [table], Tags: [{ Key: `vipshift:${STAGE}`, Value }] }),
      );
    await tag('Web');
    try {
      const left = `left alone: ${table} has the tag vipshift:${STAGE}="Web", a label that no VIP uses: a failover leaves it; did you mean "web"?\nfor the fix, run: vipshift doctor web --stage ${STAGE} --region eu-central-1\n`;
      const dry = await toB('--dry-run');
      expect(dry).toMatchObject({ status: 0, stdout: expect.stringMatching(/: 7 calls at once\n/) });
      expect(dry.stderr).toContain(`${left}a dry run: nothing was changed\n`);
      expect(only(await toB('--dry-run', '--json'))).toMatchObject({ left: [{ id: table }] });
      const ran = await toB();
      expect(ran.status).toBe(0);
      expect(ran.stderr.split(left), 'before it and after it').toHaveLength(3);
    } finally {
      await tag('web');
    }
  });
});

describe('a name', () => {
  test('is one failover: the same order again is followed to the same end, and another one is refused', async () => {
    const before = (await settled(id('a'))).epoch;
    const [first, second] = await Promise.all([toB('--name', 'one'), toB('--name', 'one')]);
    expect([first.status, second.status]).toEqual([0, 0]);
    expect(first.stdout).toBe(second.stdout);
    expect([first, second].filter((ran) => /no new one is started/.test(ran.stderr))).toHaveLength(1);
    const afterwards = await toB('--name', 'one');
    expect(afterwards).toMatchObject({ status: 0, stdout: first.stdout });
    expect(afterwards.stderr).toMatch(
      /^one was started before, \S+Z, and is succeeded: no new one is started\n/,
    );
    expect((await settled(id('b'))).epoch).toBe(before + 1);
    const other = await vipshift('failover', VIP, '--to', id('a'), '--reason', 'x', '--name', 'one');
    expect(other).toMatchObject({ status: 3, stdout: '' });
    expect(other.stderr).toMatch(
      new RegExp(
        `the name one was used for another order: web to ${named('b')}, routes-only\n  next: use another --name`,
      ),
    );
  });

  test('that was started with --detach is followed later, by name or ARN, to its end', async () => {
    const ran = await toB('--name', 'later', '--detach');
    expect(ran).toMatchObject({ status: 0, stdout: 'later\n' });
    expect(ran.stderr).toMatch(
      /follow it: vipshift failover --follow later --stage dev --region eu-central-1\n$/,
    );
    const end = await vipshift('failover', '--follow', 'later');
    expect(end.status).toBe(0);
    expect(end.stdout).toMatch(new RegExp(`^web is at ${named('b')}, `));
    expect((await vipshift('failover', '--follow', arnOf('later'))).stdout).toBe(end.stdout);
    await expectOn('b');
  });

  test('that was not used is refused', async () => {
    const ran = await vipshift('failover', '--follow', 'nosuch');
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toMatch(
      /there is no failover nosuch in stage dev\n {2}next: check --stage and --region/,
    );
  });
});

describe('Ctrl-C', () => {
  test('ends the following, not the failover: 130, how to follow on, and it is done all the same', async () => {
    await change((vip) => ({ ...vip, hold: 'master' }));
    const ran = await run(['failover', VIP, '--to', id('b'), '--reason', 'kernel', '--name', 'left'], env(), {
      signalAfter: (said) => /to report MASTER/.test(said),
    });
    await change((vip) => ({ ...vip, hold: 'both' }));
    expect(ran, ran.stderr).toMatchObject({ status: 130, stdout: '' });
    expect(ran.stderr).toMatch(
      /interrupted; the failover is still running. Follow it: vipshift failover --follow left --stage dev --region eu-central-1\n$/,
    );
    // Only now the nodes do what they were told.
    await asKeepalivedDoes({ node: id('a'), document: '', vip: VIP, demoted: true });
    const end = await vipshift('failover', '--follow', 'left');
    expect(end.status).toBe(0);
    await expectOn('b');
  });
});

describe('an approval', () => {
  /** Not there at all until the process has started it. */
  const waiting = (name: string) =>
    poll(`${name} to wait for approval`, async () =>
      (await states(stack.aws, arnOf(name)).catch(() => [])).at(-1) === 'requestApproval' ? true : undefined,
    );

  test('is waited for; approve says what it is about, and the record who gave it', async () => {
    const following = toB('--approval', '--name', 'asked');
    await waiting('asked');
    await expectOn('a');
    const ran = await vipshift('approve', '--reason', 'change 4711');
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(/^asked is approved by arn:aws:iam::\d{12}:\S+\n$/);
    expect(ran.stderr).toMatch(
      new RegExp(
        `^web to ${named('b')}, routes-only, pinned for 60 min, 9 calls\nordered by arn:\\S+: kernel\nthat is you: `,
      ),
    );
    const end = await following;
    expect(end.status).toBe(0);
    expect(end.stderr).toMatch(
      /waiting up to 1 h for: vipshift approve web --stage dev --region eu-central-1, or/,
    );
    expect(end.stderr).toMatch(/ s {2}answered; recording who answered\n/);
    await expectOn('b');
    const given = { order: 'approve', by: expect.stringMatching(CALLER), reason: 'change 4711' };
    expect(await orders()).toContainEqual(expect.objectContaining(given));
    const twice = await vipshift('approve', VIP);
    expect(twice).toMatchObject({ status: 3, stdout: '' });
    expect(twice.stderr).toMatch(
      /nothing waits for approval for web\n {2}next: a request waits for up to an hour/,
    );
  });

  test('that is denied ends it with 3 where it is followed, moves nothing, and is recorded with its reason', async () => {
    const following = toB('--approval', '--name', 'denied', '--json');
    await waiting('denied');
    const ran = await vipshift('deny', VIP, '--reason', 'not during the sale', '--json');
    expect(only(ran)).toMatchObject({
      execution: 'denied',
      approved: false,
      reason: 'not during the sale',
    });
    const end = await following;
    expect(end.status).toBe(3);
    expect(only(end)).toMatchObject({ outcome: 'denied', why: /not during the sale/, owner: id('a') });
    expect(end.stderr).toMatch(
      /vipshift: not approved, nothing was moved: denied by arn:.*: not during the sale\n/,
    );
    await expectOn('a');
    expect(await orders()).toContainEqual(
      expect.objectContaining({ order: 'deny', reason: 'not during the sale' }),
    );
  });

  test('where several wait names them and asks which, until one is named; --list shows them without the token', async () => {
    for (const name of ['first', 'second']) {
      await toB('--approval', '--name', name, '--detach');
      await waiting(name);
    }
    const ran = await vipshift('approve', VIP);
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toMatch(
      /several wait for approval for web:\n {2}first: web to node-b \(i-.*\n {2}second: web to node-b \(i-.*\n {2}next: name one: vipshift approve web --execution first/,
    );
    const list = await vipshift('approve', '--list');
    expect(list.stdout).toMatch(
      /^EXECUTION +VIP +TO +MODE +CALLS +UNTIL +BY +REASON\nfirst +web +node-b \(i-.*\nsecond +web +node-b \(i-/,
    );
    const told = documents((await vipshift('deny', '--list', '--json')).stdout);
    expect(told).toMatchObject([{ execution: 'first' }, { execution: 'second' }]);
    expect(JSON.stringify(told)).not.toContain('token');
    expect((await vipshift('deny', VIP, '--execution', 'second', '--reason', 'one is enough')).status).toBe(
      0,
    );
    expect((await vipshift('approve', VIP)).stdout).toMatch(/^first is approved/);
    expect((await vipshift('failover', '--follow', 'first')).status).toBe(0);
    expect((await vipshift('failover', '--follow', 'second')).status).toBe(3);
    await expectOn('b');
  });

  test('that nothing waits for is refused', async () => {
    await says(id('a'), 'MASTER');
    const none = await vipshift('approve', '--execution', 'nosuch');
    expect(none).toMatchObject({ status: 3, stdout: '' });
    expect(none.stderr).toMatch(/no nosuch waits for approval\n/);
    expect((await vipshift('deny', '--list')).stderr).toBe('nothing waits for approval\n');
  });
});

describe('audit verify, after all of this', () => {
  test('finds a line of the log for every record, by a claim, an order, or the holder that closed an abandoned epoch', async () => {
    const vip = (await stack.vips.read(VIP))!;
    const atMs = epochMs(Date.now() - 60_000);
    const cause = { kind: 'claim', why: 'its sandbox died', atMs } as const;
    const epoch = vip.epoch + 1;
    const lease = { holder: 'dead', epoch, expiresAtMs: atMs, cause };
    await change((was) => ({ ...was, epoch, lease, open: { dead: lease } }));
    await invoke(stack.aws, stack.deployment.functions.reconcile, {});
    expect(await stack.outcome(epoch)).toMatchObject({ outcome: 'abandoned', holder: 'dead' });
    const records = documents((await vipshift('timeline', VIP, '--kind', 'failover', '--json')).stdout);
    const ran = await vipshift('audit', 'verify', '--since', '1h');
    expect(ran.stdout).toMatch(
      new RegExp(`^${records.length} records, \\d+ log lines: 0 edited, 0 deleted, 0 without a line\n`),
    );
    expect(ran.status).toBe(0);
    const kinds = new Set(records.map((record) => (record.cause as { kind: string }).kind));
    expect([...kinds].sort()).toEqual(expect.arrayContaining(['claim', 'order']));
    expect((await vipshift('explain', `${VIP}/${epoch}`)).stdout).toMatch(/abandoned.*\n/);
  });
});
