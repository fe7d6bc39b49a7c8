// Every page of a list that AWS hands out in pages, read in their order. A list is whole or it fails: half a list would pass
// for the whole one, and a route that was not read would pass for one that is missing.
//
// Where half an answer is of use, as in a long audit, the reader says how far it came (dynamodb/timeline-pages.ts,
// audit-uncovered.ts) and does not use this.
import { Fault } from '../fault.ts';

/** 100 tables a page, 1,000 ENIs: far beyond the quotas of a VPC (200 tables, 5,000 ENIs, 2,500 groups). */
export const PAGES_MAX = 100;

/**
 * What `things` finds in each page; an empty page with a token is not the end. Throws a Fault `refused`, TooManyPages, after
 * `pagesMax` pages that name another one: AWS would go on for ever, or there is more than can be used.
 */
export async function collect<Page, Thing>(
  pages: AsyncIterable<Page>,
  things: (page: Page) => readonly Thing[] | undefined,
  pagesMax: number = PAGES_MAX,
): Promise<Thing[]> {
  const found: Thing[] = [];
  let count = 0;
  for await (const page of pages) {
    count += 1;
    if (count > pagesMax)
      throw new Fault('refused', 'TooManyPages', `the list has more than ${pagesMax} pages: ask for less`);
    found.push(...(things(page) ?? []));
  }
  return found;
}
