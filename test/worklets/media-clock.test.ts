import { describe, expect, it } from 'vitest';
import { samples, utc } from '../../shared/time.ts';
import { MediaClock, type Tick } from '../../worklets/media-clock.ts';
import { seededRandom } from '../helpers/seeded-random.ts';

const QUANTUM = 128;
const SEED = 77;
const NOON = 1_780_000_000_000;

type Course = {
  readonly rate?: number;
  readonly seconds: number;
  /** Device clock against the wall, parts per million; positive is slow. */
  readonly drift?: number;
  /** Quanta come in bursts of this length, ms. */
  readonly burst?: number;
  /** How late the burst at a moment (s) is, ms. */
  readonly late?: (at: number) => number;
  /** Wall time, ms, by which the context has stood still before a moment (s). */
  readonly lost?: (at: number) => number;
};

/** Runs a started clock along a course under a wall clock that has whole milliseconds only. */
const follow = (course: Course) => {
  const { rate = 48_000, seconds, drift = 0, burst = 0 } = course;
  const { late = () => 0, lost = () => 0 } = course;
  const clock = new MediaClock({ rate });
  clock.start(1);
  const runs: number[] = [];
  const estimates: number[] = [];
  let lateness = 0;
  let lastBurst = -1;
  let held = 0;
  for (let frame = 0; frame < seconds * rate; frame += QUANTUM) {
    const at = (frame + QUANTUM) / rate;
    const due = at * 1000 * (1 + drift / 1e6);
    const batch = burst === 0 ? due : Math.ceil(due / burst) * burst;
    if (batch !== lastBurst) lateness = late(at);
    lastBurst = batch;
    held = Math.max(held, batch + lateness + lost(at));
    const tick: Tick = clock.tick(frame, QUANTUM, utc(NOON + Math.floor(held)));
    if (tick === 'new run' && frame > 0) runs.push(at);
    const truth = NOON + due + lost(at);
    const here = samples(Math.round(((frame + QUANTUM) * 48_000) / rate));
    if (runs.length === 0) estimates.push(clock.captured(here) - truth);
  }
  return { clock, runs, estimates };
};

const spread = (values: number[]) => Math.max(...values) - Math.min(...values);

describe('holes in the device count', () => {
  it('are told with their length, once', () => {
    const clock = new MediaClock({ rate: 44_100 });
    clock.start(3);
    expect(clock.tick(1000, QUANTUM, utc(NOON))).toBe('new run');
    expect(clock.tick(1128, QUANTUM, utc(NOON + 3))).toBe('steady');
    expect(clock.tick(1128 + 5 * QUANTUM, QUANTUM, utc(NOON + 15))).toBe('hole');
    expect(clock.missing).toBe(4 * QUANTUM);
    expect(clock.tick(1128 + 6 * QUANTUM, QUANTUM, utc(NOON + 18))).toBe('steady');
    expect(clock.missing).toBe(0);
  });

  it('count as missed once the context has settled', () => {
    const clock = new MediaClock({ rate: 48_000 });
    clock.tick(0, QUANTUM, utc(NOON));
    clock.tick(2432, QUANTUM, utc(NOON + 53));
    expect(clock.missed).toBe(0);
    clock.tick(48_000, QUANTUM, utc(NOON + 1000));
    expect(clock.missed).toBe(48_000 - 2432 - QUANTUM);
  });

  it.each([44_100, 48_000, 22_050, 96_000])('of %i Hz are passed over exactly', (rate) => {
    const clock = new MediaClock({ rate });
    clock.start(0);
    clock.tick(0, QUANTUM, utc(NOON));
    const passed = clock.skippable(10 * rate + 77);
    expect(10 * rate + 77 - passed).toBeGreaterThanOrEqual(rate / 5);
    clock.skip(passed);
    expect(clock.timestamp % 1920).toBe(0);
    expect(clock.timestamp * rate).toBe(passed * 48_000);
    expect(clock.take(samples(960))).toBe(true);
    expect(clock.take(samples(960))).toBe(false);
  });

  it('shorter than two stretches are not passed over', () => {
    expect(new MediaClock({ rate: 48_000 }).skippable(19_199)).toBe(0);
    expect(new MediaClock({ rate: 48_000 }).skippable(19_200)).toBe(9600);
  });
});

describe('a context that stood still', () => {
  it.each([210, 250, 1000, 3_600_000])(
    'for %i ms begins a new run at 0 within half a second',
    (lost) => {
      const { clock, runs } = follow({ seconds: 12, lost: (at) => (at > 6 ? lost : 0) });
      expect(runs).toHaveLength(1);
      expect(runs[0]! - 6).toBeLessThan(0.51);
      expect(clock.run).toBe(2);
      expect(clock.missed / 48).toBeGreaterThan(lost - 3);
      expect(clock.missed / 48).toBeLessThan(lost + 3);
    },
  );

  it('twice for 110 ms within 5 s begins one, twice within 8 s does not', () => {
    const twice = (apart: number) => (at: number) =>
      (at > 6 ? 110 : 0) + (at > 6 + apart ? 110 : 0);
    expect(follow({ seconds: 20, lost: twice(4) }).runs).toHaveLength(1);
    expect(follow({ seconds: 20, lost: twice(8) }).runs).toHaveLength(0);
  });

  it('while nobody had started it changes no run', () => {
    const clock = new MediaClock({ rate: 48_000 });
    for (let frame = 0; frame < 96_000; frame += QUANTUM)
      clock.tick(frame, QUANTUM, utc(NOON + frame / 48 + (frame > 48_000 ? 5000 : 0)));
    clock.start(9);
    expect(clock.tick(96_000, QUANTUM, utc(NOON + 7003))).toBe('new run');
    expect(clock.run).toBe(9);
  });
});

describe('what is no standstill', () => {
  it.each([-1000, -200, 200, 1000])('a drift of %i ppm for ten minutes', (drift) => {
    expect(follow({ seconds: 600, drift, rate: 44_100 }).runs).toEqual([]);
  });

  it.each([10, 20, 43, 60])('bursts every %i ms, late by up to 150 ms', (burst) => {
    const next = seededRandom(burst);
    const { runs } = follow({ seconds: 300, burst, drift: 1000, late: () => 150 * next() });
    expect(runs).toEqual([]);
  });

  it('a freeze of 150 ms every two seconds that is caught up with', () => {
    const late = (at: number) => (at % 2 < 0.15 ? 150 - (at % 2) * 1000 : 0);
    expect(follow({ seconds: 120, burst: 10, late }).runs).toEqual([]);
  });

  it('100 ms lost every 20 s, which counts as missed', () => {
    const { clock, runs } = follow({ seconds: 70, lost: (at) => Math.floor(at / 20) * 100 });
    expect(runs).toEqual([]);
    expect(Math.round(clock.missed / 480)).toBe(30);
  });

  it('a wall clock that is set back', () => {
    expect(follow({ seconds: 20, lost: (at) => (at > 9 ? -60_000 : 0) }).runs).toEqual([]);
  });
});

describe('the time a sample was captured', () => {
  it.each([
    { drift: 0, burst: 10 },
    { drift: 100, burst: 10 },
    { drift: -100, burst: 43 },
    { drift: 50, burst: 60 },
  ])('is steady to a millisecond with bursts and lateness: %o', ({ drift, burst }) => {
    const next = seededRandom(SEED);
    const late = () => (next() < 0.3 ? 150 * next() : 2 * next());
    const { estimates } = follow({ seconds: 120, drift, burst, late, rate: 44_100 });
    const settled = estimates.slice(5 * 344);
    expect(spread(settled)).toBeLessThan(2.5);
    let largestStep = 0;
    for (let index = 1; index < settled.length; index += 1)
      largestStep = Math.max(largestStep, Math.abs(settled[index]! - settled[index - 1]!));
    expect(largestStep).toBeLessThan(1);
    expect(Math.max(...settled.map(Math.abs))).toBeLessThan(6);
  });

  it('follows a drift of 1000 ppm within 5 ms', () => {
    for (const drift of [-1000, 1000]) {
      const { estimates } = follow({ seconds: 300, drift, burst: 10 });
      expect(Math.max(...estimates.slice(2000).map(Math.abs))).toBeLessThan(5);
    }
  });
});
