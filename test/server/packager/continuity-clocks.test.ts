import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClockPoint } from '../../../shared/control.ts';
import { millis, samples, type Utc, utc } from '../../../shared/time.ts';
import { BEGIN, frameOf, GRID, numbers, Run, START, sum } from './continuity-run.ts';

describe('clocks', () => {
  const point = (ms: number, off = 0): ClockPoint => ({
    epoch: 1,
    timestamp: samples(ms * 48),
    utc: utc(START + ms + off),
    uncertainty: millis(5),
  });

  it('date the stretch by capture, where a clock point is known', () => {
    const run = new Run();
    run.clock = point(0);
    run.speak(0, 10);
    expect(run.stretches[0]?.utc).toBe(START);
    expect(run.continuity.utcOf(samples(BEGIN + 4800))).toBe(START + 100);
  });

  it('replace a guess in the first segment, and only there', () => {
    const run = new Run().speak(0, 10);
    expect(run.stretches[0]?.utc).toBe(START + 50);
    run.clock = point(200);
    run.speak(10, 20);
    expect(run.continuity.utcOf(BEGIN)).toBe(START);
    run.clock = point(200, 40);
    run.speak(20, 30);
    expect(run.continuity.utcOf(BEGIN)).toBe(START);
  });

  it('that are an hour off are not believed; arrival is', () => {
    for (const off of [3_600_000, -3_600_000]) {
      const run = new Run();
      run.clock = point(0, off);
      run.speak(0, 10);
      expect(run.stretches[0]?.utc).toBe(START + 50);
    }
  });

  it('that jump about move dates by a thousandth at most, and no sound', () => {
    const seed = 20_261;
    console.log(`seed ${seed}`);
    const jumps = fc.array(fc.integer({ min: -4_000_000, max: 4_000_000 }), { minLength: 8 });
    fc.assert(
      fc.property(jumps, (offs) => {
        const run = new Run();
        for (const [index, off] of offs.entries()) {
          run.clock = point(index * 2000, off);
          run.speak(index * 100, index * 100 + 100);
        }
        expect(run.sequences).toEqual(numbers(0, offs.length * 100));
        expect([run.silence, run.stretches.length]).toEqual([[], 1]);
        const dates: Utc[] = [];
        for (let at: number = BEGIN; at < run.continuity.head; at += GRID.segment)
          dates.push(run.continuity.utcOf(samples(at)));
        for (const [index, date] of dates.slice(1).entries())
          expect(Math.abs(date - (dates[index] as Utc) - 3840)).toBeLessThanOrEqual(3.841);
      }),
      { numRuns: 20, seed },
    );
  });

  it('that jitter leave dates where the durations put them, until they are 20 ms off', () => {
    const run = new Run();
    const dates = new Set<number>();
    const speakOn = (from: number, off: (index: number) => number): void => {
      for (let index = from; index < from + 40; index += 1) {
        run.clock = point(index * 2000, off(index));
        run.speak(index * 100, index * 100 + 100);
      }
      dates.clear();
      const end = run.continuity.head - (run.continuity.head % GRID.segment);
      for (let at = end - 5 * GRID.segment; at <= end; at += GRID.segment)
        dates.add(Math.round(run.continuity.utcOf(samples(at)) - START - (at - BEGIN) / 48));
    };
    speakOn(0, (index) => ((index * 7) % 19) - 9);
    expect(dates).toEqual(new Set([-9]));
    // Something was lost: dates follow, and then they stay.
    speakOn(40, () => 61);
    expect(dates).toEqual(new Set([41]));
    speakOn(80, (index) => 41 + ((index * 7) % 19) - 9);
    expect(dates).toEqual(new Set([41]));
  });

  it('of the server may be set by an hour while frames come, and nothing happens', () => {
    for (const step of [3_600_000, -3_600_000]) {
      const run = new Run().speak(0, 200);
      for (let sequence = 200; sequence < 1000; sequence += 1) {
        run.now = START + step + sequence * 20 + 70;
        run.push(frameOf(sequence));
        if (sequence % 5 === 0) run.continuity.tick(utc(run.now));
      }
      expect(run.sequences).toEqual(numbers(0, 1000));
      expect([run.silence, run.stretches.length]).toEqual([[], 1]);
    }
  });

  it('of a crystal 200 ppm off run for a day without silence, hold or anchor, dates in step', () => {
    const shape = frameOf(0, { duration: 1920 });
    for (const ppm of [-200, 200]) {
      const run = new Run();
      const at = (sequence: number): number => sequence * 40 * (1 + ppm / 1e6);
      let worst = 0;
      let apart = 0;
      let before: Utc | undefined;
      for (let sequence = 0; sequence < (24 * 3600) / 0.04; sequence += 1) {
        run.now = START + at(sequence) + 60 + ((sequence * 7919) % 50);
        if (sequence % 250 === 0)
          run.clock = {
            epoch: 1,
            timestamp: samples(sequence * 1920),
            utc: utc(START + at(sequence) + ((sequence / 250) % 7)),
            uncertainty: millis(5),
          };
        run.push({ ...shape, sequence, timestamp: samples(sequence * 1920) });
        if (sequence % 2 === 0) run.continuity.tick(utc(run.now));
        if ((sequence * 1920) % GRID.segment !== 0) continue;
        const track = samples(BEGIN + sequence * 1920);
        const date = run.continuity.utcOf(track);
        worst = Math.max(worst, Math.abs(date - START - at(sequence)));
        if (before !== undefined) apart = Math.max(apart, Math.abs(date - before - 3840));
        before = date;
        if (run.pieces.length > 1000) run.pieces.length = 1;
      }
      expect(run.continuity.counts).toEqual({ late: 0, lost: 0, silence: 0, reAnchors: 0 });
      expect(worst).toBeLessThan(35);
      expect(apart).toBeLessThan(3.841);
    }
  });

  it('of a publisher that leads by 5 s do no harm', () => {
    const run = new Run().speak(0, 100);
    run.push(...numbers(100, 350).map((sequence) => frameOf(sequence)));
    for (let sequence = 350; sequence < 600; sequence += 1)
      run.to(sequence * 20 + 70 - 5000).push(frameOf(sequence));
    expect(run.sequences).toEqual(numbers(0, 600));
    expect(run.silence).toEqual([]);
    run.to(600 * 20 + 70 - 5000 + 2000);
    expect(sum(run.silence)).toBeLessThanOrEqual(48 * 2000);
    expect(sum(run.silence)).toBeGreaterThan(48 * 1850);
  });
});
