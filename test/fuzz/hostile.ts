// Hostile events: valid ones, spoilt by a grammar of mutations, through the parser and the real failover over memory.
// Whatever is no claim of a member about itself, in time and not superseded, has to be turned away for a stated reason;
// nothing may crash, and nothing may move.
import { parseClaimEvent } from '../../shared/aws/events/claim-event.ts';
import { handleClaim, recordRejection } from '../../shared/controller/handle-claim.ts';
import { type EpochMs, epochMs, iso, plus, seconds } from '../../shared/time.ts';
import { FUTURE_MAX } from '../../shared/vip/admission.ts';
import { type Chance, chance } from '../sim/history/random.ts';
import { START, type World, world } from '../support/world.ts';

const ROLE = 'AROAEXAMPLEID0000001';
const MEMBERS = ['i-0a1b2c3d4e5f60718', 'i-0a1b2c3d4e5f60719'];
const STRANGER = 'i-0fffffffffffffff0';
const NOW: EpochMs = plus(START, seconds(3600));

type Json = Record<string, unknown>;
export interface Hostile {
  readonly events: number;
  /** By reject reason. */
  readonly rejected: Readonly<Record<string, number>>;
  /** Events that were none: valid claims of a member about itself, not handed on. */
  readonly valid: number;
  readonly probed: number;
}

function validEvent(luck: Chance): { event: Json; detail: Json } {
  const node = luck.pick(MEMBERS);
  const up = luck.int(10_000, 9_000_000);
  const kind = luck.pick(['transition', 'assertion', 'lower-advert', 'probe']);
  const seq = (up - luck.int(0, 5000)) * 1000;
  const detail: Json = {
    version: 1,
    vip: 'web',
    node,
    state: luck.pick(['MASTER', 'MASTER', 'BACKUP', 'FAULT', 'STOP', 'DELETED']),
    kind,
    instance: 'VI_WEB',
    priority: luck.int(1, 255),
    bootId: `boot-${luck.int(1, 3)}`,
    seq,
    since: kind === 'transition' ? seq : seq - luck.int(0, 5_000_000),
    uptimeMs: up,
    ageMs: luck.int(0, 5000),
    superseded: false,
    dropped: 0,
    atMs: NOW + luck.int(-1000, 1000),
    shim: '1.0.0',
  };
  const time = epochMs(Math.floor((NOW - luck.int(0, 30_000)) / 1000) * 1000);
  const event: Json = {
    id: `event-${luck.int(1, 1e9)}`,
    'detail-type': 'VRRP State Change',
    source: `vipshift.notify/${ROLE}:${node}`,
    time: iso(time).replace('.000', ''),
    detail,
  };
  return { event, detail };
}

/** Each spoils one thing; several are applied in a row. */
const lies: readonly ((event: Json, detail: Json, luck: Chance) => void)[] = [
  (event) => {
    event.source = `vipshift.notify/AROASOMEBODYELSE0001:${MEMBERS[0]}`;
  },
  (event, detail) => {
    event.source = `vipshift.notify/${ROLE}:${detail.node === MEMBERS[0] ? MEMBERS[1] : MEMBERS[0]}`;
  },
  (event, _, luck) => {
    event.source = luck.pick([
      'aws.ec2',
      '',
      'vipshift.notify/',
      `vipshift.notify/${ROLE}`,
      'vipshift.notify.evil',
    ]);
  },
  (event, detail) => {
    detail.node = STRANGER;
    event.source = `vipshift.notify/${ROLE}:${STRANGER}`;
  },
  (_, detail, luck) => {
    detail.vip = luck.pick(['other', 'web2', 'WEB', '__proto__', 'constructor', 'toString']);
  },
  (event, _, luck) => {
    event.time = iso(epochMs(NOW + FUTURE_MAX + luck.int(1000, 1e12))).replace(/\.\d+/, '');
  },
  (_, detail) => {
    detail.superseded = true;
  },
  (_, detail, luck) => {
    delete detail[luck.pick(Object.keys(detail))];
  },
  (event, _, luck) => {
    delete event[luck.pick(Object.keys(event))];
  },
  (_, detail, luck) => {
    detail[luck.pick(Object.keys(detail))] = nonsense(luck);
  },
  (event, _, luck) => {
    event[luck.pick(Object.keys(event))] = nonsense(luck);
  },
  (_, detail, luck) => {
    detail.since = (typeof detail.seq === 'number' ? detail.seq : 0) + luck.int(1, 1e9);
  },
  (_, detail, luck) => {
    detail.uptimeMs = luck.int(0, 100);
  },
  (_, detail, luck) => {
    detail[luck.pick(['', 'extra', '__proto__', 'constructor', 'x'.repeat(300)])] = nonsense(luck);
  },
];

function nonsense(luck: Chance): unknown {
  return luck.pick<() => unknown>([
    () => null,
    () => undefined,
    () => Number.NaN,
    () => Number.POSITIVE_INFINITY,
    () => -luck.int(1, 1e9),
    () => luck.next() * 1e300,
    () => '',
    () => 'x'.repeat(luck.int(1, 5000)),
    () => "'; DROP TABLE vips; --",
    () => '\u0000\uD800‮💥',
    () => true,
    () => [],
    () => [[[[]]]],
    () => ({ toString: 1, __proto__: null }),
    () => JSON.parse('{"__proto__": {"polluted": true}}'),
    () => '1e3',
    () => BigInt(luck.int(1, 1000)),
  ])();
}

function spoilt(luck: Chance): unknown {
  if (luck.odds(0.02)) return nonsense(luck);
  const { event, detail } = validEvent(luck);
  for (let n = luck.pick([1, 1, 1, 2, 3]); n > 0; n--) luck.pick(lies)(event, detail, luck);
  return event;
}

/** A claim that a member makes about itself: no lie, and no business of this test. */
function isHonest(parsed: ReturnType<typeof parseClaimEvent>): boolean {
  if (!parsed.ok) return false;
  const { claim, source } = parsed;
  const itself = source === `vipshift.notify/${ROLE}:${claim.node}` && MEMBERS.includes(claim.node);
  return (
    itself &&
    claim.vip === 'web' &&
    claim.timeMs <= NOW + FUTURE_MAX &&
    !claim.superseded &&
    claim.kind !== 'probe'
  );
}

/** What must not change, whatever comes. */
const still = (w: World): string =>
  JSON.stringify([
    w.vips.items.get('web')!,
    w.ec2.effects.length,
    w.timeline.entries.length,
    [...w.vips.items.keys()],
  ]);

export async function fuzz(events: number, seed: number): Promise<Hostile> {
  const w = world(MEMBERS);
  w.clock.set(NOW);
  const luck = chance(seed, 'hostile');
  const before = still(w);
  const rejected: Record<string, number> = {};
  let [valid, probed] = [0, 0];
  for (let n = 0; n < events; n++) {
    const event = spoilt(luck);
    const parsed = parseClaimEvent(event);
    if (isHonest(parsed)) {
      valid += 1;
      continue;
    }
    let reason: string;
    if (!parsed.ok) {
      reason = parsed.rejection.reason;
      // A BigInt cannot come from JSON; what cannot be written down is told by its names.
      if (n % 1000 === 0)
        await recordRejection(w.ports, { ...parsed, ...parsed.rejection }, typeof event).catch(
          () => undefined,
        );
    } else {
      const answer = await handleClaim(w.ports, parsed, { mode: 'source', roleId: ROLE });
      if (answer.answer === 'probed') {
        probed += 1;
        continue;
      }
      if (answer.answer !== 'rejected' && answer.answer !== 'superseded') {
        throw new Error(`event ${n} of seed ${seed} was ${answer.answer}: ${JSON.stringify(parsed.claim)}`);
      }
      reason = answer.answer === 'superseded' ? 'superseded' : answer.refusal.reason;
    }
    rejected[reason] = (rejected[reason] ?? 0) + 1;
    if (n % 4096 === 0 && still(w) !== before)
      throw new Error(`event ${n} of seed ${seed} or one shortly before it moved something`);
  }
  if (still(w) !== before) throw new Error(`something moved, seed ${seed}`);
  if (({} as { polluted?: boolean }).polluted !== undefined) throw new Error('a prototype was polluted');
  return { events, rejected, valid, probed };
}
