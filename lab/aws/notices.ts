// What IMDS says to an instance that AWS is about to take: the paths below /latest/meta-data/, and their texts as AWS documents them.

import { defined, ifDefined } from '../../shared/optional.ts';

export type SpotAction = 'hibernate' | 'stop' | 'terminate';

export interface ScheduledEvent {
  readonly id: string;
  readonly code: string;
  readonly notBeforeMs: number;
  readonly notAfterMs?: number;
  /** Default: active. */
  readonly state?: 'active' | 'completed' | 'canceled';
  readonly description?: string;
}

type Paths = Readonly<Record<string, string>>;

export const spotNotice = (action: SpotAction, atMs: number): Paths => ({
  'spot/instance-action': JSON.stringify({ action, time: `${new Date(atMs).toISOString().slice(0, 19)}Z` }),
});

export const rebalanceNotice = (atMs: number): Paths => ({
  'events/recommendations/rebalance': JSON.stringify({
    noticeTime: `${new Date(atMs).toISOString().slice(0, 19)}Z`,
  }),
});

export const scheduledEvents = (...events: readonly ScheduledEvent[]): Paths => ({
  'events/maintenance/scheduled': eventsText(events),
});

export const pastEvents = (...events: readonly ScheduledEvent[]): Paths => ({
  'events/maintenance/history': eventsText(events),
});

const eventsText = (events: readonly ScheduledEvent[]): string =>
  JSON.stringify(
    events.map(({ id, code, notBeforeMs, notAfterMs, state = 'active', description }) => ({
      NotBefore: dateText(notBeforeMs),
      Code: code,
      Description: description ?? `scheduled ${code}`,
      EventId: id,
      ...defined({ NotAfter: ifDefined(notAfterMs, dateText) }),
      State: state,
    })),
    undefined,
    2,
  );

/** 21 Jan 2026 09:00:43 GMT */
const dateText = (ms: number): string => new Date(ms).toUTCString().slice(5);
