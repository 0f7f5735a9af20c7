import { describe, expect, it } from 'vitest';
import { millis, samples } from '../../shared/time.ts';
import { Delay } from '../../worklets/delay.ts';

const FRAME = 20;

/** Feeds frames captured from `from` to `to` (ms), each `late(captured)` ms after a transit of 50. */
const feed = (delay: Delay, from: number, to: number, late: (captured: number) => number): void => {
  for (let captured = from; captured < to; captured += FRAME)
    delay.arrived(millis(captured + 50 + late(captured)), samples(captured * 48));
};

const fresh = (initial = 100): Delay => new Delay({ initial: millis(initial) });

describe('target delay', () => {
  it('begins with what it is given, and believes it for ten seconds', () => {
    const delay = fresh(100);
    expect(delay.target(millis(0))).toBe(100);
    feed(delay, 0, 8000, () => 0);
    expect(delay.target(millis(8050))).toBe(100);
    feed(delay, 8000, 10_000, () => 0);
    expect(delay.target(millis(10_051))).toBe(40);
  });

  it('stays at the floor of 40 ms on a network that deserves it', () => {
    const delay = fresh(40);
    feed(delay, 0, 60_000, (captured) => (captured % 3 === 0 ? 2 : 0));
    expect(delay.target(millis(60_050))).toBe(40);
  });

  it('follows a peak at once: 1.2 times its height and 10 ms', () => {
    const delay = fresh(40);
    feed(delay, 0, 20_000, (captured) => (captured === 19_980 ? 300 : 0));
    expect(delay.target(millis(20_330))).toBeCloseTo(370, 6);
  });

  it('forgets a peak by 5 % of the time, and has after 28 s', () => {
    const delay = fresh(40);
    feed(delay, 0, 20_000, (captured) => (captured === 10_000 ? 700 : 0));
    const peak = 10_750;
    feed(delay, 20_000, 20_700, () => 0);
    expect(delay.target(millis(peak + 10_000))).toBeCloseTo(850, 6);
    feed(delay, 20_700, 28_700, () => 0);
    expect(delay.target(millis(peak + 18_000))).toBeCloseTo(540, 6);
    feed(delay, 28_700, 38_700, () => 0);
    expect(delay.target(millis(peak + 28_000))).toBe(40);
  });

  it('never aims beyond a second', () => {
    const delay = fresh(40);
    feed(delay, 0, 5000, (captured) => (captured === 4000 ? 3000 : 0));
    expect(delay.target(millis(7050))).toBe(1000);
  });

  it('takes a longer route for what it is after ten seconds', () => {
    const delay = fresh(40);
    feed(delay, 0, 20_000, () => 0);
    feed(delay, 20_000, 29_000, () => 100);
    expect(delay.target(millis(29_150))).toBeCloseTo(130, 6);
    feed(delay, 29_000, 31_500, () => 100);
    expect(delay.base).toBe(150);
    expect(delay.target(millis(31_650))).toBe(40);
  });

  it('takes a shorter route for what it is at once', () => {
    const delay = fresh(40);
    feed(delay, 0, 5000, () => 0);
    feed(delay, 5000, 5020, () => -30);
    expect(delay.base).toBe(20);
  });

  it('does not take a pause of the channel, and the burst that ends it, for the network', () => {
    const delay = fresh(40);
    feed(delay, 0, 20_000, () => 0);
    delay.pause();
    // 4 s of frames come at once, then on time again.
    feed(delay, 20_000, 24_000, (captured) => 24_000 - captured);
    feed(delay, 24_000, 30_000, () => 0);
    expect(delay.target(millis(30_050))).toBe(40);
    feed(delay, 30_000, 30_020, () => 100);
    expect(delay.target(millis(30_170))).toBeCloseTo(130, 6);
  });

  it('believes transits again after a pause although they stay long', () => {
    const delay = fresh(40);
    feed(delay, 0, 20_000, () => 0);
    delay.pause();
    feed(delay, 20_000, 21_000, () => 500);
    expect(delay.target(millis(21_550))).toBeCloseTo(610, 6);
  });

  it('keeps the base through a silence of any length', () => {
    const delay = fresh(40);
    feed(delay, 0, 5000, () => 0);
    delay.target(millis(600_000));
    expect(delay.base).toBe(50);
  });

  it('takes the target of now along into another epoch, and nothing else', () => {
    const delay = fresh(40);
    feed(delay, 0, 5000, (captured) => (captured === 4980 ? 200 : 0));
    delay.restart(millis(5230));
    expect(delay.base).toBeNaN();
    expect(delay.target(millis(5230))).toBeCloseTo(250, 6);
    delay.arrived(millis(5240), samples(0));
    expect(delay.base).toBe(5240);
    expect(delay.target(millis(5240))).toBeCloseTo(250, 6);
    feed(delay, 20, 11_000, () => 5190);
    expect(delay.target(millis(16_240))).toBe(40);
  });
});
