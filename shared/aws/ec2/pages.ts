// Every page of a list that EC2 hands out in pages, up to a limit that is beyond its quotas.

/** 200 tables, 5000 ENIs, 2500 groups are the quotas of a VPC; this is beyond them. */
const PAGES_MAX = 100;

export async function all<Page, Thing>(
  pages: AsyncIterable<Page>,
  things: (page: Page) => readonly Thing[] | undefined,
): Promise<Thing[]> {
  const found: Thing[] = [];
  let count = 0;
  for await (const page of pages) {
    found.push(...(things(page) ?? []));
    count += 1;
    if (count === PAGES_MAX) break;
  }
  return found;
}

/** One of EC2's filters. */
export const filter = (name: string, values: readonly string[]) => [{ Name: name, Values: [...values] }];
