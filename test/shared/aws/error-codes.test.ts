// Every error code that facts about EC2 name, twice: as the SDK throws it, and as it meets a switch of the VIP.
import { AssertionError } from 'node:assert';
import { describe, expect, test } from 'vitest';
import { faultFromSdkError, isTaskOver, knownCodes } from '../../../shared/aws/error-codes.ts';
import { Fault, type FaultKind, faultKinds, toFault } from '../../../shared/fault.ts';
import type { Step, StepDone } from '../../../shared/network/step.ts';
import { type Switched, switchVip, take } from '../../../shared/switch/switch-vip.ts';
import { UNKNOWN_LANDS_WITHIN } from '../../../shared/vip/lease.ts';
import { windowOf } from '../../../shared/vip/liveness.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import {
  claimOf,
  finish,
  item,
  memberOf,
  outcomesOf,
  routeTo,
  START,
  V4,
  type World,
  world,
} from '../../support/world.ts';

/** An exception as the SDK makes it from an EC2 answer. */
const sdkError = (code: string, text = 'text of the service', status = 400): Error =>
  Object.assign(new Error(text), {
    name: code,
    Code: code,
    $metadata: { httpStatusCode: status, requestId: 'r-1' },
  });

interface Row {
  readonly code: string;
  readonly text?: string;
  readonly status?: number;
  readonly kind: FaultKind;
  /** Which call of the plan answers with it. */
  readonly call: Step['call'];
  /** What becomes of that step when the first attempt is answered so. */
  readonly becomes: 'told' | 'retried' | 'other call';
}

const noRoute =
  "There is no route defined for '192.168.255.10/32' in the route table. Use CreateRoute instead.";
const rows: readonly Row[] = [
  { code: 'InvalidRouteTableID.NotFound', kind: 'gone', call: 'ReplaceRoute', becomes: 'told' },
  { code: 'InvalidNetworkInterfaceID.NotFound', kind: 'gone', call: 'ReplaceRoute', becomes: 'told' },
  { code: 'InvalidAllocationID.NotFound', kind: 'gone', call: 'AssociateAddress', becomes: 'told' },
  { code: 'IncorrectInstanceState', kind: 'not-ready', call: 'ReplaceRoute', becomes: 'retried' },
  { code: 'AuthFailure', kind: 'denied', call: 'AssociateAddress', becomes: 'told' },
  { code: 'UnauthorizedOperation', status: 403, kind: 'denied', call: 'ReplaceRoute', becomes: 'told' },
  { code: 'DryRunOperation', status: 412, kind: 'refused', call: 'ReplaceRoute', becomes: 'told' },
  { code: 'Unavailable', status: 503, kind: 'unknown', call: 'ReplaceRoute', becomes: 'retried' },
  { code: 'InternalError', status: 500, kind: 'unknown', call: 'AssociateAddress', becomes: 'retried' },
  { code: 'RequestLimitExceeded', status: 503, kind: 'throttled', call: 'ReplaceRoute', becomes: 'retried' },
  {
    code: 'InvalidParameterValue',
    text: noRoute,
    kind: 'no-route',
    call: 'ReplaceRoute',
    becomes: 'other call',
  },
  { code: 'InvalidRoute.NotFound', kind: 'no-route', call: 'ReplaceRoute', becomes: 'other call' },
  { code: 'RouteAlreadyExists', kind: 'route-exists', call: 'CreateRoute', becomes: 'other call' },
  { code: 'InvalidParameterValue', kind: 'refused', call: 'ReplaceRoute', becomes: 'told' },
  { code: 'Resource.AlreadyAssociated', kind: 'refused', call: 'AssociateAddress', becomes: 'told' },
];
const named = (row: Row): string => `${row.code}${row.text === undefined ? '' : ' (no route defined)'}`;
const thrown = ({ code, text, status }: Row): Error => sdkError(code, text, status);

describe('an SDK exception in the domain’s words', () => {
  for (const row of rows) {
    test(`${named(row)} is ${row.kind}, and keeps the service’s own code and text`, () => {
      const fault = faultFromSdkError(thrown(row), 'ReplaceRoute rtb-1');
      expect(fault).toBeInstanceOf(Fault);
      expect([fault.kind, fault.code]).toEqual([row.kind, row.code]);
      expect(fault.message).toBe(`ReplaceRoute rtb-1: ${row.code}: ${row.text ?? 'text of the service'}`);
    });
  }

  describe('has a text that can be kept', () => {
    const said = (text: string) =>
      faultFromSdkError(sdkError('UnauthorizedOperation', text, 403), 'ReplaceRoute rtb-1').message;
    const before = 'ReplaceRoute rtb-1: UnauthorizedOperation: ';
    const encoded = `Encoded authorization failure message: ${'aZ-_09'.repeat(340)}`;

    test('without the encoded part, which no one can read: 2 KB of every refusal', () => {
      expect(said(`You are not authorized to perform this operation. ${encoded}`)).toBe(
        `${before}You are not authorized to perform this operation.`,
      );
      expect(said(`No. ${encoded} Ask your administrator.`)).toBe(`${before}No. Ask your administrator.`);
    });

    test('cut in the middle, since the policy that refuses is named at the end', () => {
      const why =
        'with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/p-1';
      const text = said(
        `You are not authorized. User: ${'u'.repeat(400)} is not authorized, ${why} ${encoded}`,
      );
      expect(text.length).toBe(before.length + 300);
      expect(text).toMatch(
        new RegExp(`^${before}You are not authorized\\. User: u+…u+ is not authorized, ${why}$`),
      );
    });

    test('of 300 characters whole, of 301 not', () => {
      expect(said('x'.repeat(300))).toBe(before + 'x'.repeat(300));
      expect(said('x'.repeat(301))).toBe(`${before}${'x'.repeat(119)}…${'x'.repeat(180)}`);
    });

    test('on one line and without half a character, whatever a proxy or a node put into it', () => {
      expect(said('one\r\ntwo\u2028three\u001b[31m \u202eevil\u0000')).toBe(
        `${before}one two three [31m  evil`,
      );
      const pairs = said('😀'.repeat(200));
      expect(pairs).toBe(pairs.toWellFormed());
    });

    test('also where no one foresaw what was thrown', () => {
      const odd = toFault(new TypeError(`line\n${'y'.repeat(5000)}`));
      expect([odd.message.length, odd.message.includes('\n')]).toEqual([300, false]);
    });

    test('and the answer itself goes along as the cause, for callers that have it at hand', () => {
      const error = sdkError('UnauthorizedOperation', `No. ${encoded}`, 403);
      expect(faultFromSdkError(error, 'x').cause).toBe(error);
    });
  });

  test('every code that is known by name comes out as its own kind, and no code has two', () => {
    for (const [code, kind] of knownCodes)
      expect([code, faultFromSdkError(sdkError(code), '').kind]).toEqual([code, kind]);
    for (const kind of new Set(knownCodes.values())) expect(faultKinds).toContain(kind);
  });

  test('a code that no one knows is judged by its status: a 4xx was not carried out, a 5xx may have been', () => {
    const kindOf = (status: number) => faultFromSdkError(sdkError('NeverHeardOf', 'x', status), '').kind;
    expect([400, 404, 429, 500, 503].map(kindOf)).toEqual([
      'refused',
      'refused',
      'throttled',
      'unknown',
      'unknown',
    ]);
  });

  test.each(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken'])(
    'a task of Step Functions is over when it answers %s, and by no other code',
    (code) => {
      expect([isTaskOver(sdkError(code)), isTaskOver(sdkError(`${code}s`))]).toEqual([true, false]);
    },
  );

  test('without a reply from the service the effect is unknown', () => {
    const cut = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    const aborted = Object.assign(new Error('Request aborted'), { name: 'AbortError' });
    const timeout = Object.assign(new Error('no answer'), { name: 'TimeoutError' });
    for (const error of [cut, aborted, timeout, 'a string', undefined, null]) {
      expect(faultFromSdkError(error, 'x').kind).toBe('unknown');
    }
  });

  test('an error that only wrong code throws is a bug, and its stack goes along', () => {
    const errors = [new TypeError('x'), new RangeError('x'), new ReferenceError('x'), new SyntaxError('x')];
    for (const error of [...errors, new AssertionError({ message: 'x' })]) {
      const fault = faultFromSdkError(error, 'ReplaceRoute rtb-1');
      expect([fault.kind, fault.code, fault.message]).toEqual([
        'bug',
        error.name,
        `ReplaceRoute rtb-1: ${error.name}: x`,
      ]);
      expect(fault.cause).toBe(error);
    }
  });

  test('a reply that the SDK cannot read is no bug of ours: a proxy may have sent it, and the effect is unknown', () => {
    const unreadable = Object.assign(new SyntaxError('Unexpected token <'), { $response: {} });
    expect(faultFromSdkError(unreadable, 'x').kind).toBe('unknown');
    const answered = Object.assign(new TypeError('x'), { $metadata: { httpStatusCode: 502 } });
    expect(faultFromSdkError(answered, 'x').kind).toBe('unknown');
  });

  test('a fault stays the fault that it is: the lease guard’s own word must not become unknown', () => {
    const short = new Fault('lease-short', 'LeaseShort', 'too little lease left');
    expect(faultFromSdkError(short, 'ReplaceRoute')).toBe(short);
  });
});

/** Node a is elected; rtb-1 to rtb-3 have a route to b, rtb-4 has none. The chosen call fails once at one cell. */
async function meets(
  row: Row,
): Promise<{ w: World; told: StepDone; others: readonly StepDone[]; answer: Switched }> {
  const w = world();
  for (const n of [1, 2, 3]) routeTo(w, `rtb-${n}`, V4, { target: memberOf('i-b').eni });
  const claim = claimOf('i-a');
  const heard = {
    vip: 'web',
    node: 'i-a',
    nodeState: nodeStateFrom(claim, START),
    window: windowOf(START),
    as: 'news',
  } as const;
  await w.vips.recordClaim(heard, START);
  w.vips.items.set('web', { ...item(w), addresses: [V4] });
  const cell = { ReplaceRoute: `rtb-1 ${V4}`, CreateRoute: `rtb-4 ${V4}`, AssociateAddress: 'eipalloc-1' }[
    row.call as 'ReplaceRoute'
  ];
  let left = 1;
  const apply: World['ec2']['apply'] = async (step, mayStart) => {
    if (step.cell === cell && step.call === row.call && left-- > 0) {
      if (!mayStart()) throw new Error('asked too late');
      withTheWorldAsSaid(w, row);
      throw faultFromSdkError(thrown(row), `${step.call} ${step.cell}`);
    }
    await w.ec2.apply(step, mayStart);
  };
  const ports = { ...w.ports, ec2: { ...w.ec2, apply } };
  const taken = (await take(ports, item(w), item(w), { kind: 'order', why: 'test', atMs: START }))!;
  const answer = await finish(w, switchVip(ports, taken, w.ec2.observe(taken), []));
  const { steps } = answer.failovers[0]!;
  return {
    w,
    answer,
    told: steps.find((s) => s.cell === cell)!,
    others: steps.filter((s) => s.cell !== cell),
  };
}

/** What the answer says of the route is made true, so that the other call can succeed. */
function withTheWorldAsSaid(w: World, row: Row): void {
  const table = row.kind === 'no-route' ? w.ec2.tables.get('rtb-1')! : undefined;
  if (table !== undefined) {
    const { [V4]: _gone, ...routes } = table.routes;
    w.ec2.tables.set(table.table, { ...table, routes });
  }
  if (row.kind === 'route-exists') routeTo(w, 'rtb-4', V4, { target: memberOf('i-b').eni });
}

describe('a switch that meets', () => {
  for (const row of rows) {
    test(`${named(row)} at one ${row.call}: ${row.becomes}, and the rest goes on`, async () => {
      const { w, told, others, answer } = await meets(row);
      expect(others.map((s) => s.result)).toEqual(others.map(() => 'done'));
      if (row.becomes === 'told') {
        expect(told).toMatchObject({ result: 'failed', attempts: 1, unanswered: 0, code: row.code });
        expect(told.message).toContain(row.text ?? 'text of the service');
        expect(answer.failovers[0]).toMatchObject({ outcome: 'partial', verified: false });
        expect(item(w).owner).toBeUndefined();
        return;
      }
      const other = { ReplaceRoute: 'CreateRoute', CreateRoute: 'ReplaceRoute' }[row.call as 'ReplaceRoute'];
      expect(told).toMatchObject({
        result: 'done',
        attempts: 2,
        call: row.becomes === 'retried' ? row.call : other,
      });
      expect(told.code).toBeUndefined();
      expect(outcomesOf(w)).toMatchObject([{ outcome: 'switched', verified: true }]);
      expect(item(w).owner).toBe('i-a');
      const distrusted = item(w).touchedAtMs - w.clock.now() > UNKNOWN_LANDS_WITHIN / 2;
      expect(distrusted).toBe(row.kind === 'unknown');
      const throttled = w.ports.localBucket.reserve(row.call, w.clock.now()) > 0;
      expect(throttled).toBe(row.kind === 'throttled');
    });
  }

  test('an answer of every known code ends: nothing is repeated without a bound', async () => {
    for (const [code, kind] of knownCodes) {
      const { told } = await meets({ code, kind, call: 'ReplaceRoute', becomes: 'told' });
      expect([code, told.attempts]).toEqual([code, expect.any(Number)]);
      expect(told.attempts).toBeLessThanOrEqual(2);
    }
  });
});
