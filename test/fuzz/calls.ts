// Hostile calls of the function URL: the same spoilt claims as on the bus, as the body of a call whose envelope is spoilt in its turn: who signed
// it, in which account, and what was sent.
import fc from 'fast-check';
import { SOURCE_PREFIX } from '../../shared/vip/admission.ts';
import { hostileEvent, MEMBERS, NOW, ROLE } from './events.ts';

type Json = Record<string, unknown>;

const ACCOUNT = '111122223333';
const arnOf = (name: string, account = ACCOUNT): string =>
  `arn:aws:sts::${account}:assumed-role/node/${name}`;

interface Call {
  readonly requestContext: Json & { authorizer?: { iam: Json } };
  body?: unknown;
  isBase64Encoded?: unknown;
}

function callOf(event: unknown): Call {
  const { source, detail, id, time } = (event ?? {}) as Json;
  const userId = typeof source === 'string' ? source.replace(SOURCE_PREFIX, '') : source;
  const name = typeof userId === 'string' ? (userId.split(':').at(-1) ?? '') : 'none';
  const stampMs = typeof time === 'string' ? Date.parse(time) : time;
  const timeEpoch = Number.isFinite(stampMs) ? stampMs : NOW;
  return {
    requestContext: {
      ...{ requestId: id, timeEpoch, http: { method: 'POST' } },
      authorizer: { iam: { accountId: ACCOUNT, userArn: arnOf(name), userId } },
    },
    body: JSON.stringify(detail, (_key, value: unknown) => (typeof value === 'bigint' ? 'big' : value)),
    isBase64Encoded: false,
  };
}

type Lie = (call: Call) => void;
const iam =
  (words: Json): Lie =>
  ({ requestContext: { authorizer } }) =>
    void Object.assign(authorizer!.iam, words);

const lies: readonly Lie[] = [
  () => undefined,
  () => undefined,
  iam({ accountId: '999900001111' }),
  iam({ userArn: arnOf(MEMBERS[0], '999900001111') }),
  iam({ userArn: `arn:aws:iam::${ACCOUNT}:user/night` }),
  iam({ userId: `${ROLE}:${MEMBERS[0]}:${MEMBERS[1]}` }),
  iam({ userId: `AROASOMEBODYELSE0001:${MEMBERS[0]}`, userArn: arnOf(MEMBERS[0]) }),
  iam({ userId: ROLE }),
  iam({ userId: 'AIDAEXAMPLE', userArn: arnOf('AIDAEXAMPLE') }),
  (call) => {
    delete call.requestContext.authorizer;
  },
  (call) => {
    call.requestContext.authorizer = { iam: {} };
  },
  (call) => {
    call.requestContext.http = { method: 'GET' };
  },
  (call) => {
    call.body = `[${String(call.body)}]`;
  },
  (call) => {
    call.body = `${String(call.body)} `.repeat(100);
  },
  (call) => {
    call.body = String(call.body).slice(0, -1);
  },
  (call) => {
    call.isBase64Encoded = true;
  },
  (call) => {
    call.body = Buffer.from(String(call.body)).toString('base64');
    call.isBase64Encoded = true;
  },
];

export const hostileCall: fc.Arbitrary<unknown> = fc
  .tuple(hostileEvent, fc.nat(lies.length - 1))
  .map(([event, n]) => {
    const call = callOf(event);
    lies[n]!(call);
    return call;
  });
