// Lists that AWS hands out page by page: whole, or not at all.
import { describe, expect, it } from 'vitest';
import { collect, PAGES_MAX } from '../../../shared/aws/pages.ts';

interface Page {
  readonly things?: readonly string[];
}
async function* pages(...list: readonly Page[]): AsyncGenerator<Page> {
  yield* list;
}
async function* endless(): AsyncGenerator<Page> {
  for (;;) yield { things: ['x'] };
}
const things = (page: Page) => page.things;

describe('a list', () => {
  it('has the things of all its pages, in their order', async () => {
    expect(await collect(pages({ things: ['a', 'b'] }, { things: ['c'] }), things)).toEqual(['a', 'b', 'c']);
    expect(await collect(pages(), things)).toEqual([]);
  });

  it('goes on after a page that is empty, or has no list at all, and names another', async () => {
    expect(await collect(pages({}, { things: [] }, { things: ['a'] }), things)).toEqual(['a']);
  });

  it('fails where it does not end, instead of passing for whole', async () => {
    const fault = { kind: 'refused', code: 'TooManyPages' };
    await expect(collect(endless(), things)).rejects.toMatchObject(fault);
    await expect(collect(endless(), things, 3)).rejects.toMatchObject(fault);
  });

  it('may have as many pages as are allowed, and not one more', async () => {
    const full: readonly Page[] = Array.from({ length: PAGES_MAX }, () => ({ things: ['x'] }));
    expect(await collect(pages(...full), things)).toHaveLength(PAGES_MAX);
    await expect(collect(pages(...full, {}), things)).rejects.toThrow('more than 100 pages');
  });
});
