import { describe, expect, it } from 'vitest';
import { millis } from '../../shared/time.ts';
import { Arrivals, NETWORK, type NetworkProfile } from './network-profile.ts';

const transits = (profile: NetworkProfile, seed: number, minutes = 30): number[] => {
  const arrivals = new Arrivals(profile, seed, millis(0));
  const spans: number[] = [];
  for (let at = 0; at < minutes * 60_000; at += 20)
    spans.push(arrivals.arrivalOf(200, millis(at)) - at);
  return spans;
};

const share = (spans: readonly number[], part: number): number =>
  spans.toSorted((a, b) => a - b)[Math.min(spans.length - 1, Math.floor(part * spans.length))]!;

describe('a network profile', () => {
  it.each([1, 2, 3])('bursty is PLAYOUT row 51/232/424/629 (seed %i)', (seed) => {
    const spans = transits(NETWORK.bursty, seed);
    expect(share(spans, 0.5)).toBe(50);
    expect(Math.abs(share(spans, 0.95) - 232)).toBeLessThan(30);
    expect(Math.abs(share(spans, 0.99) - 424)).toBeLessThan(45);
    expect(Math.abs(share(spans, 1) - 629)).toBeLessThan(10);
  });

  it('delivers in the order of sending, and the same way for the same seed', () => {
    const spans = transits(NETWORK.bursty, 5, 5);
    expect(spans).toEqual(transits(NETWORK.bursty, 5, 5));
    expect(spans).not.toEqual(transits(NETWORK.bursty, 6, 5));
    for (const [index, span] of spans.slice(1).entries())
      expect(span + 20).toBeGreaterThanOrEqual(spans[index]!);
  });

  it('queues what comes faster than the bandwidth', () => {
    const line = { ...NETWORK.direct, bandwidth: 1000 };
    const arrivals = new Arrivals(line, 1, millis(0));
    expect(arrivals.arrivalOf(500, millis(0))).toBe(500);
    expect(arrivals.arrivalOf(500, millis(100))).toBe(1000);
    expect(arrivals.arrivalOf(500, millis(5000))).toBe(5500);
  });

  it('stops stalling when it is shaped to a calm one', () => {
    const arrivals = new Arrivals(NETWORK.bursty, 3, millis(0));
    for (let at = 0; at < 60_000; at += 20) arrivals.arrivalOf(200, millis(at));
    arrivals.shape(NETWORK.distant, millis(60_000));
    for (let at = 61_000; at < 120_000; at += 20)
      expect(arrivals.arrivalOf(200, millis(at))).toBe(at + 50);
  });
});
