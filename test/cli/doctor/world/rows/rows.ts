// What operators get wrong. Every kind was met in practice or tried by hand.
import { eips } from './eips.ts';
import { filters } from './filters.ts';
import { addresses, identities } from './identities.ts';
import { members } from './members.ts';
import { routes } from './routes.ts';
import type { Row } from './row.ts';
import { scheduled } from './scheduled.ts';
import { service } from './service.ts';
import { tags } from './tags.ts';
import { ways } from './ways.ts';

export const rows: readonly Row[] = [
  ...[...tags, ...routes, ...ways, ...filters, ...members, ...scheduled],
  ...[...eips, ...service, ...identities, ...addresses],
];
