import { describe, expect, it } from 'vitest';
import { seededRandom } from './seeded-random.ts';
import { type Measurement, slopeOf } from './slope.ts';

const SEED = 20_261_122;

/** A line with noise whose neighbours are alike by `likeness`. */
const noisyLine = (random: () => number, { slope = 0, likeness = 0, count = 360 } = {}) => {
  let noise = 0;
  return Array.from({ length: count }, (_, x): Measurement => {
    noise = likeness * noise + (random() + random() + random() - 1.5);
    return { x, y: 100 + slope * x + noise };
  });
};

/** Share of runs in which the interval holds the true slope. */
const coverage = (likeness: number): number => {
  const random = seededRandom(SEED);
  const runs = Array.from({ length: 200 }, () => slopeOf(noisyLine(random, { likeness })));
  return runs.filter(({ slope, margin }) => Math.abs(slope) <= margin).length / runs.length;
};

describe('the slope of measurements', () => {
  it('is that of a line without noise, and then it is sure', () => {
    const { slope, margin } = slopeOf([0, 1, 2, 3, 4, 5].map((x) => ({ x, y: 7 - 2 * x })));
    expect(slope).toBeCloseTo(-2, 9);
    expect(margin).toBeCloseTo(0, 6);
  });

  it('finds a slope that noise would hide from the eye', () => {
    const { slope, margin } = slopeOf(noisyLine(seededRandom(SEED), { slope: 0.01 }));
    expect(Math.abs(slope - 0.01)).toBeLessThanOrEqual(margin);
    expect(margin).toBeLessThan(0.002);
  });

  it.each([0, 0.5, 0.8])('is as sure as it says when neighbours are alike by %s', (likeness) => {
    expect(coverage(likeness)).toBeGreaterThan(0.9);
    expect(coverage(likeness)).toBeLessThan(0.99);
  });

  it('of a slow wave is not told for sure, but how far it goes is', () => {
    const wave = slopeOf(
      Array.from({ length: 401 }, (_, at) => ({ x: at / 200, y: Math.sin((Math.PI * at) / 200) })),
    );
    expect(wave.margin).toBe(Number.POSITIVE_INFINITY);
    expect(wave.most).toBeCloseTo(1, 9);
  });

  it('is not sure of anything with two measurements', () => {
    expect(
      slopeOf([
        { x: 0, y: 1 },
        { x: 1, y: 2 },
      ]).margin,
    ).toBe(Number.POSITIVE_INFINITY);
  });
});
