import { describe, expect, it } from 'vitest';
import { Insistence } from '../../client/audio/insistence.ts';

const SECOND = 1000;

/** Seconds at which it asks again, where `rightAt` says of each second whether what is wanted plays. */
const asksAt = (seconds: number, rightAt: (second: number) => boolean): number[] => {
  const insistence = new Insistence();
  return Array.from({ length: seconds }, (_, second) => second).filter((second) =>
    insistence.isDue(second * SECOND, rightAt(second)),
  );
};

describe('a rendition that was chosen', () => {
  it('is not asked for while it plays', () => {
    expect(asksAt(1000, () => true)).toEqual([]);
  });

  it('is asked for again after 12 s, and ever more seldom while that does not help', () => {
    expect(asksAt(200, (second) => second < 10)).toEqual([22, 46, 94, 190]);
  });

  it('is asked for every ten minutes at the most seldom', () => {
    const asks = asksAt(4000, () => false);
    expect(asks.at(-1)! - asks.at(-2)!).toBe(600);
  });

  it('is not taken for well because it seems so for a moment', () => {
    const seems = (second: number): boolean => [23, 24, 48, 49].includes(second);
    expect(asksAt(120, (second) => second < 10 || seems(second))).toEqual([22, 74]);
  });

  it('is asked for as soon as at first when it has played meanwhile', () => {
    expect(asksAt(200, (second) => second < 10 || (second > 46 && second < 70))).toEqual([
      22, 46, 82, 106, 154,
    ]);
  });
});
