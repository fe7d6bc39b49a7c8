// The names that a world in memory has.
import { type EpochMs, epochMs } from '../../../../shared/time.ts';

export const NOW: EpochMs = epochMs(Date.UTC(2026, 10, 22, 14, 0, 0));
export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';
/** Where the doctor is told to look. */
export const PLACE = { stage: 'dev', region: REGION, profile: 'night shift' } as const;
export const VPC = 'vpc-0a';
export const TAG = 'vipshift:dev';
export const V4 = '192.168.255.10/32';
export const V6 = 'fd77:7669:7073::10/128';
export const EIP = 'eipalloc-0web';
export const ROLE_ID = 'AROADEMOROLE00000001';
export const RETENTION_DAYS = 400;

export const arn = (service: string, what: string): string =>
  `arn:aws:${service}:${REGION}:${ACCOUNT}:${what}`;
export const BUS_ARN = arn('events', 'event-bus/vipshift-dev');
export const TOPIC = arn('sns', 'vipshift-dev-notices');
export const tags = (pairs: Readonly<Record<string, string>>) =>
  Object.entries(pairs).map(([Key, Value]) => ({ Key, Value }));

export const nodes = { a: 'i-00000000000000a', b: 'i-00000000000000b' } as const;
