// The bar: only for what takes longer than two seconds, on stderr, and gone at the end.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { progress } from '../../../../cli/command/print/progress.ts';

const screen = (columns: number | undefined) => {
  const written: string[] = [];
  return { columns, written, write: (text: string) => void written.push(text) };
};

beforeEach(
  () =>
    void vi.useFakeTimers({
      toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'performance'],
    }),
);
afterEach(() => void vi.useRealTimers());

describe('progress', () => {
  test('says nothing about what takes less than two seconds', () => {
    const to = screen(80);
    const shown = progress('writing', 10, to);
    for (let n = 0; n < 10; n++) shown.step();
    vi.advanceTimersByTime(1999);
    shown.end();
    vi.advanceTimersByTime(60_000);
    expect(to.written).toEqual([]);
  });

  test('draws a bar on a terminal, over and over in its line, and takes it away at the end', () => {
    const to = screen(80);
    const shown = progress('writing', 40, to);
    for (let n = 0; n < 10; n++) shown.step();
    vi.advanceTimersByTime(2000);
    expect(to.written).toEqual(['\r[██████··················] writing: 10 of 40, 6 s left\u001b[K']);
    for (let n = 0; n < 10; n++) shown.step();
    vi.advanceTimersByTime(100);
    expect(to.written.at(-1)).toBe('\r[████████████············] writing: 20 of 40, 3 s left\u001b[K');
    shown.note('web: registered');
    expect(to.written.slice(2, 4)).toEqual(['\r\u001b[K', 'web: registered\n']);
    shown.end();
    expect(to.written.at(-1)).toBe('\r\u001b[K');
    const before = to.written.length;
    vi.advanceTimersByTime(60_000);
    expect(to.written).toHaveLength(before);
  });

  test('is no wider than the terminal', () => {
    const to = screen(30);
    progress('writing', 40, to);
    vi.advanceTimersByTime(2000);
    expect(to.written[0]!.replace('\u001b[K', '')).toHaveLength(30);
  });

  test('is a line every five seconds where stderr is no terminal', () => {
    const to = screen(undefined);
    const shown = progress('writing', 2000, to);
    vi.advanceTimersByTime(2000);
    for (let n = 0; n < 1000; n++) shown.step();
    vi.advanceTimersByTime(5000);
    expect(to.written).toEqual(['writing: 0 of 2000\n', 'writing: 1000 of 2000, 7 s left\n']);
    shown.end();
    expect(to.written).toHaveLength(2);
  });

  test('says nothing of a few things there: they are over before a line would help', () => {
    const to = screen(undefined);
    progress('checking', 19, to);
    vi.advanceTimersByTime(60_000);
    expect(to.written).toEqual([]);
  });

  test('says how far it was when the process is interrupted, and nothing after its end', () => {
    const listeners = process.listenerCount('exit');
    const to = screen(80);
    const shown = progress('writing', 40, to);
    vi.advanceTimersByTime(2000);
    const interrupted = process.listeners('exit').at(-1) as () => void;
    interrupted();
    expect(to.written.at(-1)).toBe('\ninterrupted: writing: 0 of 40\n');
    shown.end();
    expect(process.listenerCount('exit')).toBe(listeners);
  });
});
