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
import type { AuditRecord } from '../../../shared/timeline/query.ts';
import { failoverOf, START_MS } from './records.ts';

const hostile = `</title></style><script>document.title='owned'</script><img src=x onerror="document.title='owned'">"'\u202egnp.exe`;
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
  {
    entry: 'order',
    vip: 'web',
    id: 'order/x',
    order: 'pin',
    by: hostile,
    reason: hostile,
    atMs: epochMs(START_MS),
  },
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

describe('the page', () => {
  test('draws a mark for each failover and a waterfall with bars of their length', async () => {
    expect(await page.locator('svg a').count()).toBe(6);
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
    expect(await page.locator('svg rect.mark').count()).toBe(1);
    expect(await page.locator('svg path.mark').count()).toBe(1);
    expect(await page.locator('svg circle.mark').count()).toBe(4);
  });

  test('is used by keyboard: Tab reaches each mark, Enter leads to its failover', async () => {
    const reached: string[] = [];
    for (let press = 1; press <= 9; press++) {
      await page.keyboard.press('Tab');
      const focused = page.locator(':focus');
      reached.push((await focused.getAttribute('href')) ?? '');
    }
    expect(reached).toEqual(['#chart', '#failovers', '#others', '#f0', '#f1', '#f2', '#f3', '#f4', '#f5']);
    await page.keyboard.press('Enter');
    expect(new URL(page.url()).hash).toBe('#f5');
    const top = (await page.locator('#f5').boundingBox())!.y;
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

  test('prints every waterfall', async () => {
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('nav').isVisible()).toBe(false);
    for (const section of await page.locator('section').all()) expect(await section.isVisible()).toBe(true);
    const pdf = await page.pdf();
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await page.emulateMedia({ media: 'screen' });
  });
});
