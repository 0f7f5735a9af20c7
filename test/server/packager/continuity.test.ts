import { describe, expect, it } from 'vitest';
import { samples, utc } from '../../../shared/time.ts';
import { BEGIN, expectGapless, frameOf, GRID, numbers, Run, START, sum } from './continuity-run.ts';

describe('frames that come', () => {
  it('begin a stretch at the track time that was kept, and follow each other', () => {
    const run = new Run().speak(0, 500);
    expect(run.stretches).toEqual([{ kind: 'discontinuity', at: BEGIN, utc: START + 50 }]);
    expect(run.sequences).toEqual(numbers(0, 500));
    expect(run.silence).toEqual([]);
    expect(run.continuity.head).toBe(BEGIN + 500 * 960);
    expectGapless(run.pieces);
  });

  it('have silence of exactly their length where some were lost, or capture had a hole', () => {
    const run = new Run().speak(0, 10).speak(13, 20).speak(25, 30);
    expect(run.silence).toEqual([3 * 960, 5 * 960]);
    expect(run.continuity.counts).toMatchObject({ lost: 8, late: 0, reAnchors: 0 });
    expectGapless(run.pieces);
  });

  it('give a part its whole length when the broadcast ends', () => {
    const run = new Run().speak(0, 50).end().to(200_000);
    expect(run.continuity.head).toBe(BEGIN + 4 * GRID.part);
    expect(sum(run.silence)).toBe(4 * GRID.part - 50 * 960);
    expectGapless(run.pieces);
  });

  it('of a new epoch begin a stretch at the next segment, after padding to a part', () => {
    const run = new Run().speak(0, 50);
    run.push(frameOf(0, { epoch: 2 }), frameOf(1, { epoch: 2 }));
    expect(run.stretches.map(({ at }) => at)).toEqual([BEGIN, BEGIN + GRID.segment]);
    expect(run.continuity.counts.reAnchors).toBe(0);
    expect(run.continuity.trackTimeOf(2, samples(960))).toBe(BEGIN + GRID.segment + 960);
    expect(run.continuity.trackTimeOf(1, samples(960))).toBe(BEGIN + 960);
    expect(run.continuity.trackTimeOf(1, samples(9e9))).toBe(BEGIN + GRID.segment);
    expect(run.continuity.trackTimeOf(3, samples(960))).toBeNull();
    expectGapless(run.pieces);
  });
});

describe('frames that stop coming', () => {
  it('and come within 0.9 s in a burst leave no trace', () => {
    const run = new Run().speak(0, 100).to(99 * 20 + 70 + 900);
    run.push(...numbers(100, 145).map((sequence) => frameOf(sequence))).speak(145, 300);
    expect(run.sequences).toEqual(numbers(0, 300));
    expect(run.silence).toEqual([]);
    expect(run.continuity.counts.late).toBe(0);
  });

  it('for 1.5 s are silence on the same timeline; those whose time is taken are dropped', () => {
    const run = new Run().speak(0, 100).to(99 * 20 + 70 + 1500);
    const filledTo = run.continuity.head;
    run.push(...numbers(100, 175).map((sequence) => frameOf(sequence))).speak(175, 300);
    // Ticks come every 100 ms, so silence ends at most that long before the live edge.
    const missing = (filledTo - BEGIN) / 960 - 100;
    expect(missing).toBeGreaterThanOrEqual(70);
    expect(missing).toBeLessThanOrEqual(75);
    expect(run.sequences).toEqual([...numbers(0, 100), ...numbers(100 + missing, 300)]);
    expect(sum(run.silence)).toBe(missing * 960);
    expect(run.silence.every((duration) => duration % 960 === 0)).toBe(true);
    expect(run.continuity.counts).toMatchObject({ late: missing, lost: 0, reAnchors: 0 });
    expect(run.stretches).toHaveLength(1);
    expectGapless(run.pieces);
  });

  it('are silence at once after the hold and from then on with time', () => {
    const run = new Run().speak(0, 100);
    const newest = 99 * 20 + 70;
    const behind = (ms: number): number =>
      (BEGIN + 100 * 960 + (ms - newest) * 48 - run.to(ms).continuity.head) / 48;
    expect(run.to(newest + 940).silence).toEqual([]);
    for (let ms = newest + 1060; ms < newest + 80_000; ms += 330)
      expect(behind(ms)).toBeLessThanOrEqual(120);
    expect(run.stretches).toHaveLength(1);
  });

  it('and come back with their whole backlog fast do not move the timeline', () => {
    const run = new Run().speak(0, 100).to(60_000);
    // 58 s of sound in 3 s, 20 times real time, then live.
    for (let sequence = 100; sequence < 3150; sequence += 1)
      run.to(60_000 + (sequence - 100) * 1).push(frameOf(sequence));
    run.speak(3150, 3600);
    expect(run.stretches).toHaveLength(1);
    expect(run.continuity.counts.reAnchors).toBe(0);
    expect(run.sequences.slice(-400)).toEqual(numbers(3200, 3600));
    expectGapless(run.pieces);
  });

  it('and stay a little late, because their path is longer now, overtake a head that waits', () => {
    const run = new Run().speak(0, 100).to(5000).speak(250, 600, { late: 700 });
    expect(run.stretches).toHaveLength(1);
    expect(run.sequences.at(-1)).toBe(599);
    expect(run.continuity.counts.late).toBeLessThanOrEqual(55);
    expect(sum(run.silence)).toBeLessThanOrEqual(48_000 * 4.2);
  });

  it('are waited for while this program itself stood still', () => {
    const run = new Run().speak(0, 100);
    run.now = START + 99 * 20 + 70 + 3000;
    run.continuity.tick(utc(run.now));
    expect(run.silence).toEqual([]);
    run.push(...numbers(100, 250).map((sequence) => frameOf(sequence)));
    expect(run.sequences).toEqual(numbers(0, 250));
  });
});

describe('a media clock that lost time', () => {
  it('gets one new anchor after 2 s, and its frames are heard again', () => {
    const run = new Run().speak(0, 100).to(10_000);
    for (let sequence = 100; sequence < 400; sequence += 1)
      run.to(10_000 + (sequence - 100) * 20).push(frameOf(sequence));
    expect(run.continuity.counts.reAnchors).toBe(1);
    expect(run.stretches).toHaveLength(2);
    expect(run.sequences.slice(100)).toEqual(numbers(200, 400));
    // What was filled up to now, and padding, is not dated twice: up to a part later than capture.
    const date = (run.stretches[1]?.utc ?? 0) - (START + 10_000 + 100 * 20 - 20);
    expect(date).toBeGreaterThanOrEqual(0);
    expect(date).toBeLessThanOrEqual(420);
    expect(run.stretches[1]?.utc).toBeGreaterThanOrEqual(START + 12_000);
    expectGapless(run.pieces);
  });

  it('gets none for less than a second', () => {
    const run = new Run().speak(0, 100);
    for (let sequence = 100; sequence < 400; sequence += 1)
      run.to(sequence * 20 + 70 + 940).push(frameOf(sequence));
    expect([run.stretches.length, run.silence]).toEqual([1, []]);
  });
});

describe('a continuous channel', () => {
  it('is filled with silence before, between and after broadcasts, each its own stretch', () => {
    const run = new Run({ continuous: true }).to(10_000);
    expect(run.continuity.head - BEGIN).toBeGreaterThan(9.8 * 48_000);
    for (let sequence = 0; sequence < 200; sequence += 1)
      run.to(10_000 + sequence * 20).push(frameOf(sequence));
    run.end().to(30_000);
    expect(run.stretches).toHaveLength(2);
    const { head } = run.continuity;
    expect(Math.abs(run.continuity.utcOf(head) - run.now)).toBeLessThan(200);
    run.push(frameOf(0, { epoch: 2 })).to(40_000);
    expect(run.stretches).toHaveLength(3);
    expectGapless(run.pieces);
  });

  it('has a new date after its machine slept', () => {
    const run = new Run({ continuous: true }).to(10_000);
    run.now += 8 * 3_600_000;
    run.continuity.tick(utc(run.now));
    expect(run.stretches.map((piece) => piece.utc)).toEqual([START + 100, run.now]);
    expect(sum(run.silence)).toBeLessThan(12 * 48_000);
    expectGapless(run.pieces);
  });
});
