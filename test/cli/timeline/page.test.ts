// The page in a real browser: drawn, usable by keyboard and on paper, asking no one for anything, and not to be talked
// into running what stands in a record.
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pageText } from '../../../cli/timeline/html-page.ts';
import { epochMs } from '../../../shared/time.ts';
import type { OperatorAction } from '../../../shared/timeline/operator-action.ts';
import type { AuditRecord } from '../../../shared/timeline/query.ts';
import { failoverOf, START_MS } from './records.ts';

const hostile = `</title></style><script>document.title='owned'</script><img src=x onerror="document.title='owned'">"'\u202egnp.exe`;
const at = (seconds: number) => epochMs(START_MS + seconds * 1000);
const order = (
  kind: OperatorAction['order'],
  seconds: number,
  more: Partial<OperatorAction>,
): OperatorAction => ({
  ...{ entry: 'order', vip: 'web', id: `order/${kind}`, order: kind, atMs: at(seconds) },
  ...{ by: 'arn:aws:sts::111122223333:assumed-role/ops/alice', reason: '' },
  ...more,
});
const records: readonly AuditRecord[] = [
  failoverOf(6, { outcome: 'failed', vip: 'db' }),
  failoverOf(5, { outcome: 'superseded', vip: 'db' }),
  failoverOf(4),
  failoverOf(3, {
    cause: { kind: 'order', why: hostile, by: hostile, atMs: epochMs(START_MS) },
    notes: [hostile],
  }),
  failoverOf(2, {
    vip: hostile,
    from: hostile,
    steps: failoverOf(2).steps.map((s) => ({ ...s, cell: hostile })),
  }),
  failoverOf(1),
  {
    entry: 'rejected',
    vip: hostile,
    node: hostile,
    reason: 'malformed',
    hour: '2026-11-22T14',
    count: 3,
    message: hostile,
    example: hostile,
    atMs: epochMs(START_MS),
  },
  order('freeze', 270, { reason: 'network maintenance in zone b', untilMs: at(330) }),
  order('failover', 200, { node: 'i-0aaaaaaaaaaaaaaaa', reason: 'change 4711' }),
  order('pin', 60, { node: 'i-0bbbbbbbbbbbbbbbb', by: hostile, reason: hostile, untilMs: at(180) }),
];

const binaries = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
let browser: Browser;
let page: Page;
let folder: string;
const requests: string[] = [];

beforeAll(async () => {
  const executablePath = binaries.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined)
    throw new Error(`no Chromium at ${binaries.slice(1).join(', ')}: install one, or name it in CHROMIUM`);
  folder = await mkdtemp(join(tmpdir(), 'vipshift-page-'));
  const file = join(folder, 'page.html');
  const text = pageText({
    title: `vipshift: ${hostile}`,
    zone: 'UTC',
    sinceMs: epochMs(START_MS),
    untilMs: epochMs(START_MS + 3_600_000),
    madeAtMs: epochMs(START_MS + 7_200_000),
    records,
  });
  await writeFile(file, text);
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  page = await browser.newPage();
  page.on('request', (request) => requests.push(request.url()));
  page.on('dialog', (dialog) => void dialog.dismiss());
  await page.goto(pathToFileURL(file).href);
});
afterAll(async () => {
  await browser?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

interface Measured {
  readonly scrolls: number;
  readonly wide: readonly string[];
  readonly smallest: number;
}
/** In the page: by how much it scrolls sideways, what reaches out of it, and the smallest text. */
const measure = `(() => {
  const all = [...document.querySelectorAll('body *')];
  const wide = all.filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
  const texts = all.filter((one) => [...one.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim() !== ''));
  return {
    scrolls: document.documentElement.scrollWidth - innerWidth,
    wide: wide.map((one) => one.outerHTML.slice(0, 100)),
    smallest: Math.min(...texts.map((one) => parseFloat(getComputedStyle(one).fontSize))),
  };
})()`;

describe('the page', () => {
  test('draws a mark for each failover and a waterfall with bars of their length', async () => {
    expect(await page.locator('.marks a:not(.order)').count()).toBe(6);
    expect(await page.locator('section').count()).toBe(6);
    const bars = page.locator('#f2 .track span');
    expect(await bars.count()).toBe(8);
    const widths: number[] = [];
    for (const bar of await bars.all()) widths.push((await bar.boundingBox())!.width);
    const track = (await page.locator('#f2 .track div').first().boundingBox())!.width;
    // 40 of 350 ms, from the controller's first line to the answer of the describes.
    expect(widths[1]! / track).toBeCloseTo(40 / 350, 2);
    expect(await page.locator('#f2 tr', { hasText: 'took' }).textContent()).toContain('100 ms');
    expect(await page.locator('#f2 tr', { hasText: 'report delay' }).textContent()).toContain(
      '100 ms, by the node’s clock',
    );
    expect(Math.min(...widths)).toBeGreaterThanOrEqual(1);
  });

  test('tells outcomes by shape, not by colour alone', async () => {
    expect(await page.locator('.marks rect.mark').count()).toBe(1);
    expect(await page.locator('.marks path.mark:not(.order)').count()).toBe(1);
    expect(await page.locator('.marks circle.mark').count()).toBe(4);
  });

  test('is used by keyboard: Tab reaches each mark, Enter leads to its failover', async () => {
    const reached: string[] = [];
    for (let press = 1; press <= 12; press++) {
      await page.keyboard.press('Tab');
      const focused = page.locator(':focus');
      reached.push((await focused.getAttribute('href')) ?? '');
    }
    // VIP by VIP; the failovers of each before its orders.
    expect(reached.slice(0, 3)).toEqual(['#chart', '#failovers', '#others']);
    expect(reached.slice(3)).toEqual(['#f4', '#f0', '#f1', '#f2', '#f3', '#f5', '#o0', '#o1', '#o2']);
    await page.keyboard.press('Enter');
    expect(new URL(page.url()).hash).toBe('#o2');
    const top = (await page.locator('#o2').boundingBox())!.y;
    expect(top).toBeGreaterThanOrEqual(0);
    expect(top).toBeLessThan(800);
  });

  test('loads nothing but itself', () => {
    expect(requests.filter((url) => !url.startsWith('file://'))).toEqual([]);
    expect(requests).toHaveLength(1);
  });

  test('shows hostile names as text: no script, no image, no other title', async () => {
    expect(await page.title()).toMatch(/^vipshift: <\/title>/);
    expect(await page.locator('script, img, iframe, object, link, style ~ style').count()).toBe(0);
    expect(await page.locator('[onerror]').count()).toBe(0);
    expect(await page.locator('h3', { hasText: '<script>' }).count()).toBe(1);
    expect(await page.content()).not.toContain('\u202e');
  });

  test('has the owners as a band, in the order in which they had the VIP', async () => {
    const web = page.locator('.row', { has: page.locator('h4', { hasText: /^web$/ }) });
    const bands = await web.locator('.band > div').allTextContents();
    expect(bands).toEqual(['no owner', 'i-0aaaaaaaaaaaaaaaa', 'i-0bbbbbbbbbbbbbbbb']);
    const boxes = await Promise.all(
      (await web.locator('.band > div').all()).map((band) => band.boundingBox()),
    );
    for (const [n, box] of boxes.slice(1).entries())
      expect(box!.x).toBeGreaterThanOrEqual(boxes[n]!.x + boxes[n]!.width - 1);
  });

  test('shows who pinned and froze it, why, and for how long', async () => {
    const bar = page.locator('.lane .freeze');
    expect(await bar.textContent()).toBe('frozen by ops/alice: network maintenance in zone b');
    expect(await bar.getAttribute('title')).toContain('2026-11-22T14:04:30.000Z to 2026-11-22T14:05:30.000Z');
    expect(await page.locator('.lane .pin').textContent()).toContain('pinned to i-0bbbbbbbbbbbbbbbb by <');
    const mark = page.locator('.marks a.order').nth(1);
    expect(await mark.getAttribute('aria-label')).toContain(
      'failover web i-0aaaaaaaaaaaaaaaa by ops/alice: change 4711',
    );
    expect(await page.locator('#o1').textContent()).toContain('assumed-role/ops/alice: change 4711');
  });

  test.each([390, 1280])(
    'is read at %i pixels: nothing runs out of the side, and no text is tiny',
    async (width) => {
      await page.setViewportSize({ width, height: 800 });
      const keep = process.env.SCREENSHOTS;
      const picture = await page.screenshot({
        fullPage: true,
        ...(keep === undefined ? {} : { path: join(keep, `page-${width}.png`) }),
      });
      const found = (await page.evaluate(measure)) as Measured;
      expect(found).toMatchObject({ wide: [] });
      expect(found.scrolls).toBeLessThanOrEqual(0);
      expect(found.smallest).toBeGreaterThanOrEqual(12);
      expect(picture.length).toBeGreaterThan(10_000);
    },
  );

  test('prints every waterfall', async () => {
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('nav').isVisible()).toBe(false);
    for (const section of await page.locator('section').all()) expect(await section.isVisible()).toBe(true);
    const pdf = await page.pdf();
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await page.emulateMedia({ media: 'screen' });
  });
});
