// Words of a vrrp_instance that change nothing in an election, but that keepalived complains of when their value is wrong.
import type { Written } from '../grammar/definitions.ts';
import type { Version } from './globals.ts';
import { type Scope, statementsOf } from './statements.ts';

type Kind =
  | { readonly whole: readonly [number, number] }
  | { readonly seconds: readonly [number, number] }
  | 'switch';

const KINDS: Readonly<Record<string, Kind>> = {
  debug: { whole: [0, 4] },
  unicast_ttl: { whole: [0, 255] },
  down_timer_adverts: { whole: [1, 100] },
  preempt_delay: { seconds: [0, 1000] },
  higher_prio_send_advert: 'switch',
  lower_prio_no_advert: 'switch',
  skip_check_adv_addr: 'switch',
  strict_mode: 'switch',
  notify_priority_changes: 'switch',
  smtp_alert: 'switch',
};

export function complainOfPlainValues(scope: Scope): void {
  for (const [word, kind] of Object.entries(KINDS))
    for (const { words, line } of statementsOf(scope, word)) {
      const given = words[1];
      if (given?.includes('$') || isRight(kind, given)) continue;
      scope.notes.complaints.push({
        at: line.at,
        line,
        says: `${scope.name}: ${word} ${given ?? 'without a value'}, expected ${wanted(kind)}`,
        isHarmless: true,
        put: `${word} VALUE`,
      });
    }
}

function isRight(kind: Kind, given: string | undefined): boolean {
  if (kind === 'switch') return given === undefined || /^(?:on|off|true|false|yes|no)$/.test(given);
  const [min, max] = 'whole' in kind ? kind.whole : kind.seconds;
  const isNumber = ('whole' in kind ? /^\+?\d+$/ : /^\+?(?:\d+\.?\d*|\.\d+)$/).test(given ?? '');
  return isNumber && Number(given) >= min && Number(given) <= max;
}

const wanted = (kind: Kind): string => {
  if (kind === 'switch') return 'on or off';
  const [min, max] = 'whole' in kind ? kind.whole : kind.seconds;
  return `a number from ${min} to ${max}`;
};

interface Strict {
  readonly word: string;
  readonly isMeant?: (value: string | undefined) => boolean;
  readonly version?: Version;
}

const isOff = (value: string | undefined): boolean => /^(?:off|false|no)$/.test(value ?? '');

/** What strict mode does not take. */
const STRICT: readonly Strict[] = [
  { word: 'accept', version: 2 },
  { word: 'preempt_delay' },
  { word: 'higher_prio_send_advert', isMeant: (value) => !isOff(value) },
  { word: 'lower_prio_no_advert', isMeant: isOff },
];

export function complainOfStrict(scope: Scope, version: Version | undefined): void {
  const complain = (line: Written) =>
    scope.notes.complaints.push({
      at: line.at,
      line,
      says: `${scope.name}: ${line.text}, which strict mode does not take, is ignored`,
      isHarmless: true,
    });
  for (const { word, isMeant, version: only } of STRICT) {
    if (only !== undefined && only !== version) continue;
    const last = statementsOf(scope, word).at(-1);
    if (last !== undefined && (isMeant === undefined || isMeant(last.words[1]))) complain(last.line);
  }
  const state = statementsOf(scope, 'state').find(({ words }) => words[1] === 'MASTER');
  const isOwner = statementsOf(scope, 'priority').at(-1)?.words[1] === '255';
  if (state !== undefined && !isOwner) complain(state.line);
}
