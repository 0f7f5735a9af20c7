import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WayBack } from '../../client/state/way-back.ts';

const MINUTE = 60_000;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const waiting = (random = () => 0) => {
  let tries = 0;
  const now = (): number => Date.now();
  const way = new WayBack({ go: () => (tries += 1), now, random });
  return { way, tries: () => tries };
};

describe('the way back to the socket', () => {
  it('is tried by itself, later each time, and seldom after three failures', () => {
    const { way, tries } = waiting();
    const waits = [way.failed()];
    for (let failure = 2; failure <= 6; failure += 1) {
      vi.advanceTimersByTime(waits.at(-1) ?? 0);
      expect(tries()).toBe(failure - 1);
      waits.push(way.failed());
    }
    expect(waits).toEqual([5000, 10_000, 300_000, 300_000, 300_000, 300_000]);
  });

  it('spreads the tries of many listeners over as long again as the wait', () => {
    const waits = Array.from({ length: 11 }, (_, tenth) => waiting(() => tenth / 11).way.failed());
    expect(Math.min(...waits)).toBe(5000);
    expect(Math.max(...waits)).toBeGreaterThan(9500);
    expect(Math.max(...waits)).toBeLessThan(10_000);
  });

  it('stays seldom while it fails, and forgets what is a quarter of an hour old', () => {
    const { way } = waiting(() => 0.99);
    for (let failure = 0; failure < 3; failure += 1) way.failed();
    vi.advanceTimersByTime(10 * MINUTE);
    expect(way.failed()).toBeGreaterThan(5 * MINUTE);
    vi.advanceTimersByTime(16 * MINUTE);
    expect(way.failed()).toBeLessThan(10_000);
  });

  it('is tried soon when the network is another one', () => {
    const { way, tries } = waiting();
    for (let failure = 0; failure < 3; failure += 1) way.failed();
    way.forgive();
    vi.advanceTimersByTime(5000);
    expect(tries()).toBe(1);
    // Nobody waits any more, so a change of network begins nothing.
    way.forgive();
    vi.advanceTimersByTime(10 * MINUTE);
    expect(tries()).toBe(1);
  });

  it('is not tried after the end, nor twice at once', () => {
    const { way, tries } = waiting();
    way.failed();
    way.wait();
    vi.advanceTimersByTime(MINUTE);
    expect(tries()).toBe(1);
    way.failed();
    way.stop();
    vi.advanceTimersByTime(10 * MINUTE);
    expect([tries(), way.isWaiting]).toEqual([1, false]);
  });
});
