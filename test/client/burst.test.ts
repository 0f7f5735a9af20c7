import { describe, expect, it } from 'vitest';
import { Burst } from '../../client/net/burst.ts';
import { samples, utc } from '../../shared/time.ts';

const FRAME = 960;

const header = (epoch: number, sequence: number) => ({
  flags: 0,
  rendition: 0,
  duration: samples(FRAME),
  sequence,
  epoch,
  timestamp: samples(sequence * FRAME),
});

describe('a burst', () => {
  /** Feeds frames at times in ms; returns which of them it held. */
  const feed = (times: readonly number[], first = 0) => {
    const burst = new Burst();
    burst.expect();
    return times.map((at, index) => burst.holds(header(1, first + index), utc(at)));
  };

  it('lasts as long as media comes faster than time passes, and 0.4 s to be sure', () => {
    const replayed = Array.from({ length: 500 }, (_, index) => index);
    const paced = Array.from({ length: 50 }, (_, index) => 500 + index * 20);
    const held = feed([...replayed, ...paced]);
    expect(held.slice(0, 500).every(Boolean)).toBe(true);
    expect(held.slice(540).some(Boolean)).toBe(false);
  });

  it('is over soon when frames come five at a time at their own pace', () => {
    const held = feed(Array.from({ length: 60 }, (_, index) => Math.floor(index / 5) * 100));
    expect(held.slice(25).some(Boolean)).toBe(false);
  });

  it('is not seen where none was expected', () => {
    const burst = new Burst();
    expect(burst.holds(header(1, 0), utc(0))).toBe(false);
  });
});
