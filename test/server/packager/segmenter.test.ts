import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { samples, utc } from '../../../shared/time.ts';
import { BEGIN, Bench, GRID, SILENT, title, units, utcOf } from './segmenter-bench.ts';

describe('units that fit', () => {
  it('make parts of 15 and segments of 12, each sent with its last unit', () => {
    const bench = new Bench().begin().push(units(BEGIN, 14));
    expect(bench.open?.parts).toHaveLength(0);
    bench.push(units(BEGIN + 14 * 1024, 1));
    expect(bench.open?.parts).toHaveLength(1);
    bench.push(units(BEGIN + 15 * 1024, 15 * 23 + 7));
    expect(bench.made.map(({ head }) => head.sequence)).toEqual([100, 101]);
    expect(bench.contents.map((content) => content.units.length)).toEqual(Array(24).fill(15));
    expect(bench.contents.map((content) => content.beginsSegment)).toEqual(
      Array.from({ length: 24 }, (_, index) => index % 12 === 0),
    );
    expect(bench.contents.map((content) => content.sequence)).toEqual(
      Array.from({ length: 24 }, (_, index) => 1200 + index),
    );
    const [first, second] = bench.made;
    expect(first?.parts.map(({ at }) => at)).toEqual(
      Array.from({ length: 12 }, (_, index) => BEGIN + index * GRID.part),
    );
    expect(second?.head).toEqual({
      sequence: 101,
      at: BEGIN + GRID.segment,
      utc: utcOf(samples(BEGIN + GRID.segment)),
      discontinuity: false,
      discontinuities: 0,
      name: 'name101',
    });
  });

  it('of Opus make parts of 16, or of 8 with 40 ms, or of 128 with 2.5 ms', () => {
    for (const [duration, count] of [
      [960, 16],
      [1920, 8],
      [120, 128],
    ] as const) {
      const bench = new Bench().begin().push(units(BEGIN, count * 13, duration));
      expect(bench.contents.map((content) => content.units.length)).toEqual(Array(13).fill(count));
    }
  });

  it('make a transport stream of each whole segment, with its titles', () => {
    const bench = new Bench().begin();
    bench.segmenter.title(title(BEGIN + 20_000));
    bench.push(units(BEGIN, 360));
    expect(bench.transport.map((content) => content.units.length)).toEqual([180, 180]);
    expect(bench.transport[0]?.metadata).toEqual([title(BEGIN + 20_000)]);
    expect(bench.made[0]?.ts?.[0]).toBe(0x47);
  });
});

describe('a stretch that ends', () => {
  it('has a shorter last segment of whole parts', () => {
    const bench = new Bench().begin().push(units(BEGIN, 180 + 45));
    bench.segmenter.end();
    expect(bench.made.map(({ parts }) => parts.length)).toEqual([12, 3]);
    expect(bench.segmenter.counts.madeUp).toBe(0);
  });

  it('gets the units that its last part lacks', () => {
    const bench = new Bench().begin().push(units(BEGIN, 40));
    bench.segmenter.end();
    expect(bench.made.map(({ parts }) => parts.length)).toEqual([3]);
    expect(bench.segmenter.counts.madeUp).toBe(5);
  });

  it('at the end of a segment leaves none without a part, and its number to the next', () => {
    const bench = new Bench().begin().push(units(BEGIN, 180));
    expect(bench.open?.head.name).toBe('name101');
    bench.begin(BEGIN + GRID.segment).push(units(BEGIN + GRID.segment, 15));
    bench.segmenter.end();
    expect(bench.made.map(({ head }) => head)).toMatchObject([
      { sequence: 100, discontinuity: false, name: 'name100' },
      { sequence: 101, discontinuity: true, discontinuities: 0, name: 'name101' },
    ]);
  });

  it('is counted from the first part on, also over a restart', () => {
    const bench = new Bench({ stretches: 4 });
    expect(bench.begin().segmenter.stretches).toBe(4);
    bench.begin().push(units(BEGIN, 190));
    bench.begin(BEGIN + 2 * GRID.segment).push(units(BEGIN + 2 * GRID.segment, 30));
    bench.segmenter.end();
    expect(bench.made.map(({ head }) => [head.discontinuity, head.discontinuities])).toEqual([
      [true, 3],
      [false, 4],
      [true, 4],
    ]);
    expect(bench.segmenter.stretches).toBe(6);
  });

  it('keeps the numbers of segments whole when its last units never came', () => {
    const bench = new Bench().begin().push(units(BEGIN, 30));
    bench.begin(BEGIN + 4 * GRID.segment).push(units(BEGIN + 4 * GRID.segment, 15));
    bench.segmenter.end();
    expect(bench.made.map(({ head }) => head.sequence)).toEqual([100, 101, 102, 103, 104]);
    expect(bench.made.map(({ head }) => head.discontinuity)).toEqual([
      ...Array(4).fill(false),
      true,
    ]);
  });
});

describe('units that do not fit', () => {
  it('belong to the part in which they begin, and none is lost or doubled', () => {
    const seed = 7001;
    console.log(`seed ${seed}`);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 511 }), (shift) => {
        const before = units(BEGIN, 100);
        const after = units(BEGIN + 100 * 1024 - shift, 200);
        const bench = new Bench().begin().push([...before, ...after]);
        bench.segmenter.end();
        expect(bench.sent.slice(0, 300)).toEqual([...before, ...after]);
        for (const { units: some, sequence } of bench.contents) {
          expect(some.length).toBeGreaterThan(0);
          // One that overlaps what was sent before a part's end may begin in it still.
          for (const { at } of some) expect(at).toBeLessThan((sequence + 1) * GRID.part);
          for (const { at } of some) expect(at).toBeGreaterThan(sequence * GRID.part - 512);
        }
      }),
      { numRuns: 100, seed },
    );
  });

  it('are dropped when they were there before, and made up when they are missing', () => {
    const bench = new Bench()
      .begin()
      .push(units(BEGIN, 50))
      .push(units(BEGIN + 40 * 1024, 20));
    bench.push(units(BEGIN + 70 * 1024, 5));
    bench.segmenter.end();
    expect(bench.sent.slice(0, 75).map(({ at }) => at)).toEqual(
      units(BEGIN, 75).map(({ at }) => at),
    );
    expect(bench.segmenter.counts).toEqual({ repeated: 10, madeUp: 10, titlesDropped: 0 });
    expect(bench.sent[65]?.bytes).toBe(SILENT.bytes);
  });

  it('leave out segments when more than a minute is missing', () => {
    const bench = new Bench().begin().push(units(BEGIN, 30));
    const later = BEGIN + 100 * GRID.segment;
    bench.push(units(later + 15 * 1024, 15));
    bench.segmenter.end();
    expect(bench.made.map(({ head }) => [head.sequence, head.discontinuity])).toEqual([
      [100, false],
      [200, true],
    ]);
    expect(bench.made.map(({ parts }) => parts.length)).toEqual([2, 2]);
  });

  it('whatever comes: whole parts on the grid, no part empty, numbers without a gap', () => {
    const seed = 7002;
    console.log(`seed ${seed}`);
    const step = fc.record({
      count: fc.integer({ min: 1, max: 200 }),
      move: fc.integer({ min: -30_000, max: 300_000 }),
      begins: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        fc.constantFrom(120, 960, 1024),
        (steps, duration) => {
          const bench = new Bench().begin();
          let at: number = BEGIN;
          let top: number = BEGIN;
          for (const { count, move, begins } of steps) {
            if (begins) {
              at = Math.ceil(top / GRID.segment) * GRID.segment;
              bench.begin(at);
            } else at = Math.max(BEGIN, at + move);
            bench.push(units(at, count, duration));
            at += count * duration;
            top = Math.max(top, at);
          }
          bench.segmenter.end();
          let sequence = bench.made[0]?.head.sequence ?? 0;
          for (const { head, parts } of bench.made) {
            expect(head.sequence).toBe(sequence);
            expect(head.at).toBe(head.sequence * GRID.segment);
            expect(parts.map((part) => part.at)).toEqual(
              parts.map((_, index) => head.at + index * GRID.part),
            );
            sequence += 1;
          }
          const sent = bench.sent.map((one) => one.at);
          expect(new Set(sent).size).toBe(sent.length);
          expect(bench.contents.every((content) => content.units.length > 0)).toBe(true);
        },
      ),
      { numRuns: 200, seed },
    );
  });
});

describe('titles', () => {
  it('stand in the part they fall into, late ones in the open part, in order', () => {
    const bench = new Bench().begin();
    const { segmenter } = bench;
    segmenter.title(title(BEGIN + 2 * GRID.part, 'later'));
    segmenter.title(title(BEGIN + GRID.part - 1, 'first'));
    bench.push(units(BEGIN, 20));
    segmenter.title(title(BEGIN + 3, 'late'));
    bench.push(units(BEGIN + 20 * 1024, 40));
    expect(bench.contents.map(({ metadata }) => metadata?.map((one) => one.title))).toEqual([
      ['first'],
      ['late'],
      ['later'],
      [],
    ]);
    expect(bench.contents[1]?.metadata?.[0]?.at).toBe(BEGIN + GRID.part);
  });

  it('that wait are bounded', () => {
    const bench = new Bench().begin();
    const { segmenter } = bench;
    for (let index = 0; index < 108; index += 1)
      segmenter.title(title(BEGIN + 100 + index, `title ${index}`));
    expect(segmenter.counts.titlesDropped).toBe(8);
    // Those that are due first are kept.
    bench.push(units(BEGIN, 20));
    const told = bench.contents.flatMap(({ metadata }) => metadata?.map((one) => one.title) ?? []);
    expect(told).toEqual(Array.from({ length: 100 }, (_, index) => `title ${index}`));
  });
});

it('the first segment takes the date that became known while it grew, the others keep theirs', () => {
  let shift = 0;
  const bench = new Bench({ utcOf: (at) => utc(utcOf(at) + shift) }).begin();
  bench.push(units(BEGIN, 20));
  shift = -80;
  bench.push(units(BEGIN + 20 * 1024, 200));
  shift = 0;
  bench.push(units(BEGIN + 220 * 1024, 150));
  expect(bench.made.map((made) => (made.utc ?? 0) - utcOf(made.head.at))).toEqual([-80, -80]);
});
