// The end of a pin or a freeze, from the front door on the local AWS: that the VIP moves and where to is said beforehand; and a
// break-glass that fails takes back what it pinned.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { calm } from '../../lab/aws/stack/calm.ts';
import { startFaultProxy } from '../../lab/fault/proxy.ts';
import { epochMs } from '../../shared/time.ts';
import { type Pin, type Vip, withFreeze, withoutFreeze, withoutPin, withPin } from '../../shared/vip/vip.ts';
import { documents, run } from './front-door/command-line.ts';
import { type Region, startRegion } from './region.ts';
import { type History, historyOf } from './timeline/history.ts';

let region: Region;
let history: History;
let a: string;
let b: string;
beforeAll(async () => {
  region = await startRegion();
  history = historyOf(region);
  a = region.vpc.nodes.a.instanceId;
  b = region.vpc.nodes.b.instanceId;
  const { ipv4 } = region.vpc.vip;
  await region.vipshift('vip', 'add', 'web', '-a', ipv4, '-e', region.vpc.eip.allocationId);
});
afterAll(() => region?.stop());

/** As people read it: the lab's nodes are called node-a and node-b. */
const named = (id: string) => `node-${id === a ? 'a' : 'b'} (${id})`;
const re = (id: string) => named(id).replace(/[()]/g, '\\$&');

const read = async () => (await region.vips.read('web'))!;
const change = async (changed: (vip: Vip) => Vip) => {
  const vip = await read();
  await region.vips.write(vip, changed(vip));
};
/** a is keepalived's master and owns the VIP; nothing is ordered. */
beforeEach(async () => {
  await calm(region.vips, 'web');
  await change((vip) => withoutFreeze(withoutPin(vip)));
  await history.says(b, 'BACKUP');
  await history.says(a, 'MASTER');
  await history.reconcile();
  expect((await read()).owner).toBe(a);
});
const later = () => epochMs(Date.now() + 3_600_000);
const pinTo = (node: string): Pin => ({ node, by: 'alice', reason: 'change 1', untilMs: later() });
const orders = async () =>
  documents((await region.vipshift('timeline', 'web', '--kind', 'order', '--json')).stdout).map(
    (o) => o.order,
  );

test('the end of what is not there is no order: the record does not fill with them', async () => {
  const before = await orders();
  expect((await region.vipshift('unpin', 'web')).stdout).toBe('web was not pinned\n');
  expect((await region.vipshift('unfreeze', 'web')).stdout).toBe('web was not frozen\n');
  expect(await orders()).toEqual(before);
});

describe('unpin', () => {
  beforeEach(async () => {
    await change((vip) => withPin(vip, pinTo(b)));
    await history.reconcile();
    expect((await read()).owner).toBe(b);
  });

  test('of a VIP that it moves names the node, and without a terminal needs --yes: nothing is changed', async () => {
    const before = await orders();
    const ran = await region.vipshift('unpin', 'web', '--stage', 'dev');
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toBe(
      `VRRP’s master is ${named(a)}: web moves there now (it is at ${named(b)})\nvipshift: cannot ask: stdin is not a terminal\n  next: to let it move: vipshift unpin web --yes --stage dev --region eu-central-1\n`,
    );
    expect((await read()).pin).toMatchObject({ node: b });
    expect(await orders()).toEqual(before);
  });

  test('goes on with --yes', async () => {
    const ran = await region.vipshift('unpin', '--all', '--yes');
    expect(ran).toMatchObject({ status: 0, stdout: 'web is no longer pinned\n' });
    expect(ran.stderr).toBe(`VRRP’s master is ${named(a)}: web moves there now (it is at ${named(b)})\n`);
    await history.reconcile();
    expect((await read()).owner).toBe(a);
  });

  test('of a VIP that stays reports it, and does not ask', async () => {
    await history.says(b, 'MASTER');
    await history.says(a, 'BACKUP');
    const ran = await region.vipshift('unpin', 'web');
    expect(ran).toMatchObject({ status: 0, stdout: 'web is no longer pinned\n' });
    expect(ran.stderr).toBe(`nothing moves: newest MASTER is ${named(b)}, it stays at ${named(b)}\n`);
  });

  test('of a frozen VIP says what happens when the freeze ends', async () => {
    const freeze = { by: 'bob', reason: 'window', untilMs: later() };
    await change((vip) => withFreeze(vip, freeze));
    const ran = await region.vipshift('unpin', 'web');
    expect(ran.status).toBe(0);
    const until = new Date(freeze.untilMs).toISOString();
    expect(ran.stderr).toBe(
      `nothing moves: web is frozen until ${until}; when the freeze ends at ${until}, web goes to ${named(a)} unless keepalived’s master is another one by then\n`,
    );
  });

  test('of a pin that has run out asks nothing: it ended by itself', async () => {
    await change((vip) => withPin(vip, { ...pinTo(b), untilMs: epochMs(Date.now() - 1) }));
    expect(await region.vipshift('unpin', 'web')).toMatchObject({ status: 0 });
  });
});

describe('unfreeze', () => {
  test('of a VIP that it moves names the node, and without a terminal needs --yes', async () => {
    await change((vip) => withFreeze(vip, { by: 'bob', reason: 'window', untilMs: later() }));
    await history.says(b, 'MASTER');
    const ran = await region.vipshift('unfreeze', 'web');
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toBe(
      `VRRP’s master is ${named(b)}: web moves there now (it is at ${named(a)})\nvipshift: cannot ask: stdin is not a terminal\n  next: to let it move: vipshift unfreeze web --yes --stage dev --region eu-central-1\n`,
    );
    expect((await read()).freeze).toBeDefined();
    expect(await region.vipshift('unfreeze', 'web', '--yes')).toMatchObject({ status: 0 });
  });

  test('of a pinned VIP names the pin’s node', async () => {
    const freeze = { by: 'bob', reason: 'window', untilMs: later() };
    await change((vip) => withPin(withFreeze(vip, freeze), pinTo(b)));
    const ran = await region.vipshift('unfreeze', 'web');
    expect(ran.stderr).toMatch(
      new RegExp(`^web is pinned to ${re(b)}: the VIP moves there now \\(it is at ${re(a)}\\)\n`),
    );
  });
});

describe('where the VIP goes when an order ends', () => {
  test('is said by pin', async () => {
    const ran = await region.vipshift('pin', 'web', '--to', b, '--reason', 'x');
    const until = new Date((await read()).pin!.untilMs).toISOString();
    expect(ran.stderr).toBe(
      `when the pin ends at ${until}, web goes back to ${named(a)} unless keepalived’s master is ${named(b)} by then\n`,
    );
    const stays = await region.vipshift('pin', 'web', '--to', a, '--reason', 'x');
    expect(stays.stderr).toMatch(/\nwhen the pin ends at \S+Z, web stays there, as things stand\n$/);
  });

  test('is said by freeze, where it would move', async () => {
    await change((vip) => withPin(vip, pinTo(b)));
    await history.reconcile();
    const ran = await region.vipshift('freeze', 'web', '--for', '2h', '--reason', 'x');
    expect(ran.stderr).toMatch(
      new RegExp(`^when the freeze ends at \\S+Z, web goes to ${re(a)} unless keepalived’s master is`),
    );
  });
});

describe('vip set', () => {
  test('that moves the VIP to another node reports it, and without a terminal needs --yes', async () => {
    const { serviceEni } = region.vpc.nodes.b;
    const { CreateTagsCommand } = await import('@aws-sdk/client-ec2');
    const tag = (Value: string) =>
      region.ec2.send(
        new CreateTagsCommand({ Resources: [serviceEni], Tags: [{ Key: 'vipshift:dev', Value }] }),
      );
    await history.says(b, 'MASTER');
    await history.says(a, 'MASTER');
    await history.reconcile();
    expect((await read()).owner).toBe(a);
    await tag('other');
    try {
      const ran = await region.vipshift('vip', 'set', 'web', '--node-label', 'other');
      expect(ran).toMatchObject({ status: 2, stdout: '' });
      expect(ran.stderr).toMatch(
        new RegExp(
          `^VRRP’s master is ${re(b)}: web moves there now \\(it is at ${re(a)}\\)\n.*stdin is not a terminal\n  next: to change it all the same: --yes`,
        ),
      );
      expect((await read()).nodeLabels).toEqual(['web']);
      const done = await region.vipshift('vip', 'set', 'web', '--node-label', 'other', '--yes');
      expect(done).toMatchObject({ status: 0, stdout: 'web nodeLabels: web → other\n' });
    } finally {
      await tag('web');
      await region.vipshift('vip', 'set', 'web', '--node-label', 'web', '--yes');
    }
  });
});

describe('a break-glass', () => {
  const args = (...more: readonly string[]) => [
    'failover',
    'web',
    '--to',
    b,
    '--break-glass',
    '--reason',
    'x2',
    ...more,
  ];
  /** An EC2 that refuses these calls. */
  const refusing = async (on: readonly string[], work: (env: NodeJS.ProcessEnv) => Promise<void>) => {
    const fault = { does: 'refuse', code: 'UnauthorizedOperation', status: 403 } as const;
    const proxy = await startFaultProxy({ target: region.aws.ec2Endpoint, rules: [{ on, fault }] });
    try {
      await work({ ...region.env, AWS_ENDPOINT_URL_EC2: proxy.endpoint });
    } finally {
      await proxy.stop();
    }
  };

  test('that succeeds says its pin, its end, and how to take it back', async () => {
    const ran = await region.vipshift(...args('--stage', 'dev'));
    expect(ran.status).toBe(0);
    const until = new Date((await read()).pin!.untilMs).toISOString();
    expect(ran.stderr).toContain(
      `pinned there until ${until}; to end it: vipshift unpin web --stage dev --region eu-central-1\nwhen the pin ends at ${until}, web goes back to ${named(a)} unless keepalived’s master is ${named(b)} by then\n`,
    );
  });

  test('that replaces another operator’s pin names it', async () => {
    await change((vip) => withPin(vip, pinTo(a)));
    const ran = await region.vipshift(...args());
    expect(ran.status).toBe(0);
    expect(ran.stderr).toMatch(
      new RegExp(`it replaced the pin on ${re(a)} until \\S+Z by alice: change 1\n`),
    );
  });

  test('that EC2 refuses takes its pin back, and says that nothing had moved', async () => {
    await refusing(['ReplaceRoute', 'AssociateAddress'], async (env) => {
      const ran = await run(args('--stage', 'dev'), env);
      expect(ran.status).toBe(1);
      expect(ran.stderr).toMatch(
        new RegExp(
          `the pin on ${re(b)} is taken back: web is no longer pinned\nnothing had moved.*vipshift status web --stage dev --region eu-central-1\n$`,
        ),
      );
    });
    const vip = await read();
    expect(vip.pin).toBeUndefined();
    expect(vip.owner).toBe(a);
    expect((await orders()).slice(-2)).toEqual(['break-glass', 'unpin']);
  });

  test('that EC2 carries out in part goes back, with its pin', async () => {
    await refusing(['AssociateAddress'], async (env) => {
      const ran = await run(args(), env);
      expect(ran.status).toBe(1);
      expect(ran.stderr).toMatch(
        new RegExp(
          `the pin on ${re(b)} is taken back: web is no longer pinned\nweb is back at ${re(a)} \\(epoch \\d+: \\w+\\)`,
        ),
      );
    });
    const vip = await read();
    expect(vip.pin).toBeUndefined();
    expect(vip.owner).toBe(a);
    const told = documents((await region.vipshift('status', 'web', '--json')).stdout)[0]!;
    expect(told).toMatchObject({ health: 'well', owner: a });
  });

  test('that fails gives the pin that it replaced back to whom it was', async () => {
    const before = pinTo(a);
    await change((vip) => withPin(vip, before));
    await refusing(['AssociateAddress'], async (env) => {
      const ran = await run(args(), env);
      expect(ran.status).toBe(1);
      expect(ran.stderr).toMatch(
        new RegExp(
          `the pin on ${re(b)} is taken back; the one before it is in effect again: ${re(a)} until \\S+Z by alice: change 1\n`,
        ),
      );
    });
    expect((await read()).pin).toEqual(before);
  });

  test('that fails leaves a pin that someone set in the meantime', async () => {
    const meanwhile = { ...pinTo(b), by: 'carol' };
    // The switch waits at EC2 until carol has pinned.
    await refusing(['AssociateAddress'], async (env) => {
      let carol: Promise<void> | undefined;
      const ran = await run(args(), env, {
        signalAfter: (said) => {
          if (said.includes('the lease is taken')) carol ??= pinned(meanwhile);
          return false;
        },
      });
      await carol;
      expect(ran.status).toBe(1);
    });
    expect((await read()).pin).toEqual(meanwhile);
  });

  /** As `vipshift pin` does: until no other write came between. */
  const pinned = async (pin: Pin): Promise<void> => {
    for (;;) {
      const vip = await read();
      if ((await region.vips.write(vip, withPin(vip, pin))) !== undefined) return;
    }
  };

  test('that cannot take its pin back says that it stands, until when, and the command that ends it', async () => {
    // The record takes the order, the intent and the outcome; then no more.
    const fault = { does: 'refuse', code: 'AccessDeniedException', status: 400 } as const;
    const proxy = await startFaultProxy({
      target: region.aws.endpoint,
      rules: [{ on: 'PutItem', skip: 3, fault }],
    });
    try {
      await refusing(['AssociateAddress'], async (env) => {
        const ran = await run(args('--stage', 'dev'), { ...env, AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint });
        expect(ran.status).toBe(1);
        const until = new Date((await read()).pin!.untilMs).toISOString();
        expect(ran.stderr).toMatch(/the pin could not be taken back: .*AccessDenied/);
        expect(ran.stderr).toContain(
          `the pin on ${named(b)} stands until ${until}, and reconcile follows it; to end it: vipshift unpin web --stage dev --region eu-central-1\n`,
        );
      });
    } finally {
      await proxy.stop();
    }
  });

  test('that is interrupted half-way says that the pin stands, until when, and the command that ends it', async () => {
    const rules = [{ on: 'ReplaceRoute', fault: { does: 'stall' } as const }];
    const proxy = await startFaultProxy({ target: region.aws.ec2Endpoint, rules });
    try {
      const env = { ...region.env, AWS_ENDPOINT_URL_EC2: proxy.endpoint };
      const ran = await run(args('--stage', 'dev'), env, {
        signalAfter: (said) => said.includes('the lease is taken'),
      });
      expect(ran).toMatchObject({ status: 130, stdout: '' });
      const until = new Date((await read()).pin!.untilMs).toISOString();
      expect(ran.stderr).toContain(
        `interrupted; the lease runs out in 10 s; the pin on ${named(b)} stands until ${until}, and reconcile follows it; to end it: vipshift unpin web --stage dev --region eu-central-1; check: vipshift status web --stage dev --region eu-central-1\n`,
      );
    } finally {
      await proxy.stop();
      await change(({ lease: _lease, ...vip }) => ({ ...vip, open: {} }));
    }
  });
});
