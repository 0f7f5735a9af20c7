import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../server/packager/segment-store.ts';
import type { Grid, Part, Segment } from '../../../server/packager/track.ts';
import { WAITING_MOST, Window } from '../../../server/packager/window.ts';
import { samples, utc } from '../../../shared/time.ts';

const GRID: Grid = { part: samples(15_360), segment: samples(184_320) };
const MINUTE = samples(60 * 48_000);

/** A window of 60 s with a store one can look into. */
const newWindow = (listed: readonly Segment[] = [], store = new MemoryStore()) => ({
  store,
  window: new Window({ grid: GRID, duration: MINUTE, store, listed }),
});

const partOf = (sequence: number, index: number): Part => ({
  at: samples(sequence * GRID.segment + index * GRID.part),
  duration: GRID.part,
  bytes: Buffer.from(`${sequence}/${index};`),
});
const open = (window: Window, sequence: number, { discontinuity = false, before = 0 } = {}): void =>
  window.open({
    sequence,
    at: samples(sequence * GRID.segment),
    utc: utc(sequence * 3840),
    discontinuity,
    discontinuities: before,
    name: `s${sequence}`,
  });
const complete = (window: Window, sequence: number): void =>
  window.complete({ utc: utc(sequence * 3840), ts: Buffer.from(`ts${sequence}`) });
const grow = (window: Window, sequence: number, parts = 12, options = {}): void => {
  open(window, sequence, options);
  for (let index = 0; index < parts; index += 1) window.append(partOf(sequence, index));
};
const fill = (window: Window, from: number, to: number): void => {
  for (let sequence = from; sequence < to; sequence += 1) {
    grow(window, sequence);
    complete(window, sequence);
  }
};
const sequencesOf = (window: Window): number[] => window.segments.map((one) => one.sequence);

describe('what is listed', () => {
  it('is the last minute, and no less than that', () => {
    const { window } = newWindow();
    fill(window, 10, 60);
    // 16 segments of 3.84 s are 61.44 s; 15 would be less than a minute.
    expect(sequencesOf(window)).toEqual(Array.from({ length: 16 }, (_, index) => 44 + index));
  });

  it('is six segments at least, however long they are', () => {
    const window = new Window({ grid: GRID, duration: samples(48_000) });
    fill(window, 0, 20);
    expect(sequencesOf(window)).toEqual([14, 15, 16, 17, 18, 19]);
  });

  it('grows part by part, in snapshots that do not change', () => {
    const { window } = newWindow();
    open(window, 5);
    expect([window.segments, window.hint]).toEqual([[], { sequence: 5, name: 's5', index: 0 }]);
    window.append(partOf(5, 0));
    const snapshot = window.segments;
    window.append(partOf(5, 1));
    expect(snapshot[0]?.parts).toHaveLength(1);
    expect(window.segments[0]).toMatchObject({ complete: false, parts: { length: 2 } });
    expect(window.hint).toEqual({ sequence: 5, name: 's5', index: 2 });
    complete(window, 5);
    expect(window.segments[0]?.complete).toBe(true);
    expect(window.hint).toBeNull();
  });

  it('keeps no segment without a part, when the stretch ends there or another begins', () => {
    const { window } = newWindow();
    fill(window, 5, 6);
    open(window, 6);
    open(window, 6, { discontinuity: true });
    window.append(partOf(6, 0));
    complete(window, 6);
    open(window, 7);
    complete(window, 7);
    expect(window.segments).toMatchObject([
      { sequence: 5, discontinuity: false },
      { sequence: 6, discontinuity: true, parts: { length: 1 } },
    ]);
    window.end();
    expect([window.ended, window.hint]).toEqual([true, null]);
  });

  it('begins anew when numbers have a gap, because a playlist cannot have one', () => {
    const { window, store } = newWindow();
    fill(window, 5, 12);
    fill(window, 20, 21);
    expect(sequencesOf(window)).toEqual([20]);
    expect(store.media('s11')).toBeDefined();
  });

  it('goes on after a restart with what was listed before', () => {
    const first = newWindow();
    fill(first.window, 0, 8);
    grow(first.window, 8, 3);
    const whole = first.window.segments.filter(({ complete }) => complete);
    const { window } = newWindow(whole, first.store);
    expect(sequencesOf(window)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    fill(window, 8, 40);
    expect(sequencesOf(window)).toHaveLength(16);
    expect(first.store.media('s0')).toBeUndefined();
  });

  it('lists parts of the last three target durations only', () => {
    const { window } = newWindow();
    fill(window, 0, 20);
    expect(window.targetDuration).toBe(4);
    // The edge is at 76.8 s; segment 16 ends at 65.28 s, segment 15 at 61.44 s.
    expect(window.partsFrom).toBe(16);
    grow(window, 20, 6);
    // 78.72 s.
    expect(window.partsFrom).toBe(17);
  });
});

describe('bytes', () => {
  it('of a segment are its parts, of which they are views', () => {
    const { window, store } = newWindow();
    grow(window, 3, 4);
    expect(store.part('s3', 2)?.toString()).toBe('3/2;');
    expect(store.media('s3')).toBeUndefined();
    complete(window, 3);
    const media = store.media('s3');
    expect(media?.toString()).toBe('3/0;3/1;3/2;3/3;');
    expect(store.ts('s3')?.toString()).toBe('ts3');
    for (const [index, part] of (window.segments[0]?.parts ?? []).entries()) {
      expect(part.bytes).toBe(store.part('s3', index));
      expect(part.bytes.toString()).toBe(`3/${index};`);
      expect(part.bytes.buffer).toBe(media?.buffer);
    }
    expect(store.media('s4')).toBeUndefined();
    expect(store.part('s3', 4)).toBeUndefined();
  });

  it('outlive the listing by a segment and the longest playlist, and are bounded', () => {
    const { window, store } = newWindow();
    let most = 0;
    const left = new Map<number, number>();
    for (let sequence = 0; sequence < 300; sequence += 1) {
      const before = sequencesOf(window);
      fill(window, sequence, sequence + 1);
      for (const gone of before.filter((one) => !sequencesOf(window).includes(one)))
        left.set(gone, sequence + 1);
      most = Math.max(most, store.size);
      for (const [gone, at] of left)
        if (sequence + 1 - at <= 17) expect(store.part(`s${gone}`, 11)).toBeDefined();
    }
    expect(most).toBeLessThanOrEqual(16 + 1 + 20);
    expect(store.media('s200')).toBeUndefined();
  });
});

describe('those who wait', () => {
  it('are called with every part, complete segment and the end, until they leave', () => {
    const { window } = newWindow();
    let calls = 0;
    const leave = window.onPart(() => {
      calls += 1;
    });
    grow(window, 0, 12);
    expect(calls).toBe(12);
    complete(window, 0);
    window.end();
    expect(calls).toBe(14);
    leave?.();
    window.end();
    expect(calls).toBe(14);
  });

  it('may leave and wait anew while they are called', () => {
    const { window } = newWindow();
    let calls = 0;
    const wait = (): void => {
      const leave = window.onPart(() => {
        calls += 1;
        leave?.();
        wait();
      });
    };
    wait();
    grow(window, 0, 5);
    expect(calls).toBe(5);
  });

  it('are bounded', () => {
    const { window } = newWindow();
    for (let index = 0; index < WAITING_MOST; index += 1) window.onPart(() => {});
    expect(window.onPart(() => {})).toBeNull();
    expect(window.refused).toBe(1);
  });

  it('learn what the playlist has come to', () => {
    const { window } = newWindow();
    expect(window.reached(0, null)).toBe(false);
    fill(window, 4, 6);
    grow(window, 6, 3);
    const cases: [number, number | null, boolean][] = [
      [3, null, true],
      [5, null, true],
      [5, 11, true],
      [5, 12, true],
      [6, null, false],
      [6, 2, true],
      [6, 3, false],
      [7, null, false],
      [7, 0, false],
    ];
    for (const [sequence, part, is] of cases) expect(window.reached(sequence, part)).toBe(is);
    complete(window, 6);
    expect(window.reached(6, null)).toBe(true);
    expect(window.reached(6, 3)).toBe(false);
    grow(window, 7, 1);
    expect(window.reached(6, 3)).toBe(true);
    window.end();
    expect(window.reached(99, null)).toBe(true);
  });
});

it('whatever is pushed: numbers grow by one, discontinuities are counted, memory is bounded', () => {
  const seed = 9001;
  console.log(`seed ${seed}`);
  const stretch = fc.record({
    segments: fc.integer({ min: 1, max: 20 }),
    last: fc.integer({ min: 1, max: 12 }),
    restart: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(stretch, { minLength: 1, maxLength: 20 }), (stretches) => {
      let { window, store } = newWindow();
      let sequence = 50;
      let first = 0;
      for (const [index, { segments, last, restart }] of stretches.entries()) {
        if (restart) ({ window, store } = newWindow(window.segments, store));
        for (let count = 0; count < segments; count += 1) {
          const discontinuity = index > 0 && count === 0;
          const before = count === 0 ? Math.max(0, index - 1) : index;
          grow(window, sequence, count === segments - 1 ? last : 12, { discontinuity, before });
          complete(window, sequence);
          sequence += 1;
          const all = window.segments;
          expect(all[0]?.sequence).toBeGreaterThanOrEqual(first);
          first = all[0]?.sequence ?? first;
          for (const [place, segment] of all.entries()) {
            expect(segment.sequence).toBe(first + place);
            const tags = all.slice(0, place).filter((one) => one.discontinuity).length;
            expect(segment.discontinuities).toBe((all[0]?.discontinuities ?? 0) + tags);
          }
        }
      }
    }),
    { numRuns: 100, seed },
  );
});
