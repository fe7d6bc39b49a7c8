// What `vipshift timeline` is asked, from its command line.
import { defined } from '../../shared/optional.ts';
import type { EpochMs } from '../../shared/time.ts';
import type { AuditRecord, Question } from '../../shared/timeline/query.ts';
import { type Outcome, outcomes } from '../../shared/timeline/timeline.ts';
import { usage } from '../command/exit.ts';
import { FAILOVERS_MAX } from './html-page.ts';
import { type PeriodOptions, periodFrom } from './period.ts';

export interface TimelineOptions extends PeriodOptions {
  readonly node?: string;
  readonly outcome?: readonly string[];
  readonly kind?: readonly string[];
  readonly limit?: number;
  readonly html?: string;
}

/** Throws what is wrong with the command line. */
export function questionFrom(vip: string | undefined, options: TimelineOptions, now: EpochMs): Question {
  if (options.html === '-') throw usage('--html -: the page goes to a file', 'name it: --html page.html');
  const whole: boolean = vip !== undefined || options.node !== undefined;
  const period = periodFrom(options, now, whole);
  const found = options.outcome?.filter((o) => !(outcomes as readonly string[]).includes(o)) ?? [];
  if (found.length > 0) {
    throw usage(`--outcome ${found.join(', ')}: not an outcome`, `expected ${outcomes.join(', ')}`);
  }
  const kinds = (options.kind ?? Object.keys(kindNames)).map(kindFrom);
  if (options.outcome !== undefined && !kinds.includes('outcome'))
    throw usage(
      `--outcome cannot be used with --kind ${options.kind!.join(',')}: only failovers have an outcome`,
      'leave one of them out',
    );
  return {
    ...period,
    ...defined({ vip, node: options.node, outcomes: options.outcome as readonly Outcome[] | undefined }),
    kinds,
    limit: options.limit ?? (options.html === undefined ? 50 : FAILOVERS_MAX),
  };
}

export const kindNames: Readonly<Record<string, AuditRecord['entry']>> = {
  failover: 'outcome',
  order: 'order',
  rejected: 'rejected',
};

function kindFrom(name: string): AuditRecord['entry'] {
  const kind = kindNames[name];
  if (kind !== undefined) return kind;
  throw usage(`--kind ${name}: not a kind`, `expected ${Object.keys(kindNames).join(', ')}`);
}
