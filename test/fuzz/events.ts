// Hostile events: a member's valid claim, of which one to three things are spoilt; and now and then no claim at all. What is drawn shrinks to the
// simplest claim and the fewest lies.
import fc from 'fast-check';
import { type EpochMs, epochMs, iso, plus, seconds } from '../../shared/time.ts';
import { FUTURE_MAX, SOURCE_PREFIX } from '../../shared/vip/admission.ts';
import { claimKinds, vrrpStates } from '../../shared/vip/claim.ts';
import { START } from '../support/world.ts';

export const ROLE = 'AROAEXAMPLEID0000001';
export const MEMBERS = ['i-0a1b2c3d4e5f60718', 'i-0a1b2c3d4e5f60719'] as const;
const STRANGER = 'i-0fffffffffffffff0';
/** When the events arrive. */
export const NOW: EpochMs = plus(START, seconds(3600));

type Json = Record<string, unknown>;
interface Parts {
  readonly event: Json;
  /** Also when the event was made to hold something else. */
  readonly detail: Json;
}
/** Spoils one thing of an event that no one else holds. */
type Lie = (parts: Parts) => void;

export const sourceOf = (node: string, role = ROLE): string => `${SOURCE_PREFIX}${role}:${node}`;
const between = (min: number, max: number) => fc.integer({ min, max });
const stampOf = (atMs: number): string => iso(epochMs(atMs)).replace(/\.\d+/, '');

const claim = fc.record({
  node: fc.constantFrom(...MEMBERS),
  state: fc.constantFrom('MASTER', ...vrrpStates),
  kind: fc.constantFrom(...claimKinds),
  priority: between(1, 255),
  boot: between(1, 3),
  uptimeMs: between(10_000, 9_000_000),
  /** How long before it was made and sent its number was drawn. */
  drawnMs: between(0, 5000),
  lastedUs: between(0, 5_000_000),
  ageMs: between(0, 5000),
  clockMs: between(-1000, 1000),
  travelledMs: between(0, 30_000),
  departure: fc.constantFrom({}, {}, { leaving: 'spot-terminate' }, { atRisk: true }),
  id: between(1, 1000),
});
type Claim = typeof claim extends fc.Arbitrary<infer T> ? T : never;

function partsOf(said: Claim): Parts {
  const { node, state, kind, priority, uptimeMs, ageMs } = said;
  const seq = (uptimeMs - said.drawnMs) * 1000;
  const detail: Json = {
    ...{
      version: 2,
      vip: 'web',
      node,
      state,
      kind,
      instance: 'VI_WEB',
      priority,
      bootId: `boot-${said.boot}`,
    },
    ...{ seq, since: kind === 'transition' ? seq : seq - said.lastedUs, uptimeMs, ageMs },
    ...{ superseded: false, dropped: 0, atMs: NOW + said.clockMs, shim: '1.0.0' },
    ...said.departure,
  };
  const event: Json = {
    ...{ id: `event-${said.id}`, 'detail-type': 'VRRP State Change', source: sourceOf(node) },
    ...{ time: stampOf(NOW - said.travelledMs), detail },
  };
  return { event, detail };
}

const LEFT_OUT = Symbol('left out');
const nonsense: fc.Arbitrary<unknown> = fc.oneof(
  ...[null, undefined, Number.NaN, Number.POSITIVE_INFINITY, '', true, '1e3', [], [[[[]]]]].map(fc.constant),
  fc.constant("'; DROP TABLE vips; --"),
  fc.constant('\u0000\uD800‮💥'),
  fc.constant({ toString: 1, __proto__: null }),
  fc.constant(JSON.parse('{"__proto__": {"polluted": true}}')),
  between(-1e9, -1),
  fc.double({ min: 0, max: 1e300 }),
  between(1, 5000).map((length) => 'x'.repeat(length)),
  fc.bigInt({ min: 1n, max: 1000n }),
);

type Words = Readonly<Record<string, fc.Arbitrary<unknown>>>;
const put = (part: keyof Parts, words: fc.Arbitrary<Json>): fc.Arbitrary<Lie> =>
  words.map((said) => (parts: Parts) => void Object.assign(parts[part], said));
const inEvent = (words: Words) => put('event', fc.record(words));
const inDetail = (words: Words) => put('detail', fc.record(words));

/** Makes up one of the keys that there are, or leaves it out. */
const anywhere = (part: keyof Parts): fc.Arbitrary<Lie> =>
  fc
    .tuple(between(0, 999), fc.option(nonsense, { freq: 2, nil: LEFT_OUT }))
    .map(([n, value]) => (parts: Parts) => {
      const keys = Object.keys(parts[part]);
      const key = keys[n % keys.length] ?? '';
      parts[part][key] = value;
      if (value === LEFT_OUT) delete parts[part][key];
    });

const otherNames = ['other', 'web2', 'WEB', '__proto__', 'constructor', 'toString'];
const otherSources = ['aws.ec2', '', SOURCE_PREFIX, `${SOURCE_PREFIX}${ROLE}`, 'vipshift.notify.evil'];
const otherKeys = ['', 'extra', '__proto__', 'constructor', 'x'.repeat(300)];

const lie: fc.Arbitrary<Lie> = fc.oneof(
  inEvent({ source: fc.constant(sourceOf(MEMBERS[0], 'AROASOMEBODYELSE0001')) }),
  inEvent({ source: fc.constantFrom(...otherSources) }),
  inEvent({ time: between(1000, 1e12).map((aheadMs) => stampOf(NOW + FUTURE_MAX + aheadMs)) }),
  fc.constant<Lie>(({ event, detail }) => {
    event.source = sourceOf(detail.node === MEMBERS[0] ? MEMBERS[1] : MEMBERS[0]);
  }),
  fc.constant<Lie>(({ event, detail }) => {
    detail.node = STRANGER;
    event.source = sourceOf(STRANGER);
  }),
  inDetail({ vip: fc.constantFrom(...otherNames) }),
  inDetail({ superseded: fc.constant(true) }),
  inDetail({ uptimeMs: between(0, 100) }),
  between(1, 1e9).map((aheadUs) => ({ detail }: Parts) => {
    detail.since = (typeof detail.seq === 'number' ? detail.seq : 0) + aheadUs;
  }),
  put('detail', fc.dictionary(fc.constantFrom(...otherKeys), nonsense, { minKeys: 1, maxKeys: 1 })),
  { weight: 2, arbitrary: anywhere('event') },
  { weight: 2, arbitrary: anywhere('detail') },
);

const spoiltClaim = fc.tuple(claim, fc.array(lie, { minLength: 1, maxLength: 3 })).map(([said, lies]) => {
  const parts = partsOf(said);
  for (const spoil of lies) spoil(parts);
  return parts.event;
});

export const hostileEvent: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 49, arbitrary: spoiltClaim },
  { weight: 1, arbitrary: nonsense },
);
