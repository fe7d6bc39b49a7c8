import { describe, expect, it } from 'vitest';
import { type Answer, outageOf } from '../../../lab/netns/node/client.ts';

const answer = (askedMs: number, endedMs: number, what: string): Answer => ({ askedMs, endedMs, what });
const every5 = (fromMs: number, toMs: number, node: string): Answer[] =>
  Array.from({ length: (toMs - fromMs) / 5 }, (_, index) =>
    answer(fromMs + index * 5, fromMs + index * 5 + 1, node),
  );

describe('the outage that a client saw', () => {
  it('is the longest time between two consecutive good answers, and says whose answer ended it', () => {
    const answers = [...every5(0, 100, 'a'), ...every5(400, 500, 'b')];
    expect(outageOf(answers, 0, 500)).toMatchObject({
      lastGoodMs: 96,
      firstGoodMs: 401,
      outageMs: 305,
      firstGoodNode: 'b',
    });
  });

  it('is the probe interval at rest: nothing failed', () => {
    expect(outageOf(every5(0, 1_000, 'a'), 0, 1_000)).toMatchObject({ outageMs: 5, refused: 0, lost: 0 });
  });

  it('counts a failed connection by when it was asked, so that one that failed late is not forgotten', () => {
    const answers = [
      ...every5(0, 100, 'a'),
      answer(100, 1_000, 'lost'),
      answer(105, 106, 'refused'),
      answer(110, 111, 'reset'),
    ];
    expect(outageOf(answers, 0, 500)).toMatchObject({ refused: 1, cut: 1, lost: 1 });
  });

  it('lasts to the end of the window when no one answers any more: a dead service is no short outage', () => {
    expect(outageOf(every5(0, 100, 'a'), 0, 900)).toMatchObject({ outageMs: 804, firstGoodNode: '' });
  });

  it('is the whole window when no one ever answered', () => {
    expect(outageOf([answer(1, 2, 'refused')], 0, 900)).toMatchObject({ outageMs: 900, good: 0 });
  });

  it('does not take an answer that was overtaken by a later one for a gap of its own', () => {
    const answers = [answer(0, 50, 'a'), answer(5, 6, 'a'), answer(10, 11, 'a'), answer(55, 56, 'a')];
    expect(outageOf(answers, 0, 60)).toMatchObject({ outageMs: 39, lastGoodMs: 11, firstGoodMs: 50 });
  });
});
