// Values of a vrrp_instance that keepalived makes of more than one word: version, advert interval, authentication, state.
import { defined } from '../../../optional.ts';
import type { Globals, Version } from './globals.ts';
import { inAuthentication } from './keywords.ts';
import { noteUnread, type Scope, statedValue, statementsOf, type Value, wholeFrom } from './statements.ts';

export interface Authentication {
  readonly type: 'none' | 'PASS' | 'AH';
  /** What of it goes over the wire. */
  readonly pass: string;
}

/** IPv6 has version 3 always; else the first `version` of the instance counts, then that of global_defs. */
export function versionOf(scope: Scope, globals: Globals, family: 4 | 6): Value<Version> {
  const parse = wholeFrom(2, 3);
  let found: Value<Version> | undefined = family === 6 ? { value: 3 } : undefined;
  for (const { words, line } of statementsOf(scope, 'version')) {
    const value = parse(words[1] ?? '') as Version | undefined;
    if (value !== undefined && (found === undefined || found.value === value)) found ??= { value, line };
    else
      scope.notes.complaints.push({
        at: line.at,
        line,
        says:
          value === undefined
            ? `${scope.name}: version ${words[1] ?? 'without a value'}, expected 2 or 3`
            : `${scope.name}: version ${value} where it is ${found?.value} already, and is ignored`,
      });
  }
  return found ?? (scope.isPartial ? { value: undefined } : globals.version);
}

const CENTISECONDS_MAX = 4095;

export const advertSOf = (scope: Scope): Value<number> =>
  statedValue(scope, {
    word: 'advert_int',
    parse: (text) => {
      const value = /^\+?(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
      return value >= 0.01 && value <= 255 ? value : undefined;
    },
    wanted: 'seconds from 0.01 to 255',
    fallback: 1,
  });

/** In centiseconds, as keepalived rounds it. Version 2 sends whole seconds. */
export function advertOf(scope: Scope, stated: Value<number>, version: Version | undefined): Value<number> {
  const { value, line } = stated;
  if (value === undefined || version === undefined) return { ...stated, value: undefined };
  const at = defined({ line });
  if (version === 2) return { value: Math.max(Math.round(value), 1) * 100, ...at };
  const centiseconds = Math.max(Math.round(value * 100), 1);
  const says =
    centiseconds > CENTISECONDS_MAX
      ? `${scope.name}: advert_int ${value}, and version 3 sends at most 40.95`
      : Math.abs(value * 100 - centiseconds) > 1e-9
        ? `${scope.name}: advert_int ${value}, and version 3 sends steps of 0.01`
        : undefined;
  if (says !== undefined && line !== undefined)
    scope.notes.complaints.push({
      at: line.at,
      line,
      says,
      put: `advert_int ${Math.min(centiseconds, CENTISECONDS_MAX) / 100}`,
    });
  return { value: Math.min(centiseconds, CENTISECONDS_MAX), ...at };
}

const PASS_MAX = 8;
const NONE: Authentication = { type: 'none', pass: '' };

/** Version 3 has none, and strict mode takes none. */
export function authenticationOf(
  scope: Scope,
  version: Version | undefined,
  isStrict: boolean | undefined,
): Value<Authentication> {
  const blocks = statementsOf(scope, 'authentication');
  const line = blocks.at(-1)?.line;
  if (line === undefined) return { value: scope.isPartial ? undefined : NONE };
  const complain = (says: string, isHarmless?: true) =>
    scope.notes.complaints.push({
      at: line.at,
      says: `${scope.name}: ${says}`,
      ...(isHarmless && { isHarmless }),
    });
  const block = blocks.flatMap((one) => one.block ?? []);
  const inner: Scope = { ...scope, block, isPartial: noteUnread(block, inAuthentication, scope.notes) };
  const type = statedValue<Authentication['type']>(inner, {
    word: 'auth_type',
    parse: (text) => (text === 'PASS' || text === 'AH' ? text : undefined),
    wanted: 'PASS or AH',
    fallback: 'none',
  }).value;
  const pass = statedValue(inner, {
    word: 'auth_pass',
    parse: (text) => text,
    wanted: 'a word',
    fallback: '',
  }).value;
  if (pass !== undefined && new TextEncoder().encode(pass).length > PASS_MAX)
    complain(`auth_pass has more than ${PASS_MAX} characters, and the others are left out`, true);
  if (isStrict || version === 3) {
    const why = isStrict ? 'strict mode does not take' : 'VRRP version 3 does not have';
    if (type !== 'none') complain(`authentication, which ${why}, is ignored`, true);
    return { value: NONE, line };
  }
  if (type === undefined || pass === undefined || version === undefined || isStrict === undefined)
    return { value: undefined, line };
  if (type !== 'none' && pass === '') complain('authentication without a password is ignored');
  if (type === 'none' || pass === '') return { value: NONE, line };
  return { value: { type, pass: pass.slice(0, PASS_MAX) }, line };
}

/** MASTER stays, whatever comes after it. */
export function stateOf(scope: Scope): Value<'MASTER' | 'BACKUP'> {
  let found: Value<'MASTER' | 'BACKUP'> = { value: scope.isPartial ? undefined : 'BACKUP' };
  for (const { words, line } of statementsOf(scope, 'state')) {
    const [, given] = words;
    const isKnown = given === 'MASTER' || given === 'BACKUP';
    const isLate = found.value === 'MASTER' && given !== 'MASTER';
    if (!isKnown || isLate)
      scope.notes.complaints.push({
        at: line.at,
        line,
        says: isKnown
          ? `${scope.name}: state ${given} after MASTER, and is ignored`
          : `${scope.name}: state ${given ?? 'without a value'}, expected MASTER or BACKUP`,
      });
    if (!isLate) found = { value: given === 'MASTER' ? 'MASTER' : 'BACKUP', line };
  }
  return found;
}
