import { describe, expect, it } from 'vitest';
import { manifest } from '../../../server/packager/dash.ts';
import {
  driftOf,
  type Period,
  periodsOf,
  promised,
  zeroOf,
} from '../../../server/packager/dash-periods.ts';
import type { ManifestView } from '../../../server/packager/dash-view.ts';
import { samples, samplesToMillis, utc } from '../../../shared/time.ts';
import { manifestViewOf } from '../../helpers/channel-manifest.ts';
import { GRID, GrowingWindow, START } from '../../helpers/channel-window.ts';
import { addressedBy } from '../../helpers/dash-linter.ts';
import { attributeOf, childrenOf, parseXml } from '../../helpers/xml-tree.ts';

const SEGMENT = samplesToMillis(GRID.segment);
const PART = samplesToMillis(GRID.part);

describe('a publisher whose clock is off, over 24 hours', () => {
  const day = (ppm: number, addressing: ManifestView['addressing']) => {
    const window = new GrowingWindow();
    // A fast sound card counts more samples in a second, so that each lasts less long in UTC.
    const stretch = 1 / (1 + ppm / 1e6);
    const segments = Math.round((24 * 3_600_000) / SEGMENT);
    let periods: readonly Period[] = [];
    const begun = new Set<number>();
    let worst = 0;
    for (let count = 0; count < segments; count += 1) {
      window.growBy(1, { late: SEGMENT * (stretch - 1) });
      periods = periodsOf(periods, window.segments, GRID);
      for (const { sequence } of periods) begun.add(sequence);
      if (count % 50 !== 0) continue;
      // The next segment's first part is there once that was captured, and no sooner.
      const published = utc(START + (count + 1) * SEGMENT * stretch);
      const view = manifestViewOf(window, periods, {
        addressing,
        published,
        availabilityStart: ZERO,
      });
      const newest = addressedBy(parseXml(manifest(view))).findLast(({ set }) => set === '1');
      expect(newest?.number).toBe(100 + count);
      const at = (100 + count) * GRID.segment;
      if (addressing === 'timeline') expect(newest?.time).toBe(at);
      // Counted segments last a 25 millionth too much: 3.4 ms a day.
      else expect(Math.abs((newest?.at ?? 0) - samplesToMillis(samples(at)))).toBeLessThan(4);
      const there = START + (count * SEGMENT + PART) * stretch;
      worst = Math.max(worst, Math.abs((newest?.available ?? 0) - there));
    }
    return { worst, periods: begun.size, drift: Math.abs(SEGMENT * (stretch - 1) * segments) };
  };
  const ZERO = utc(START - 60_000);

  it.each([
    [200, 'timeline'],
    [-200, 'timeline'],
    [200, 'number'],
    [-200, 'number'],
    [20, 'number'],
  ] as const)('by %i ppm: addresses and availability stay right by %s', (ppm, addressing) => {
    const { worst, periods, drift } = day(ppm, addressing);
    // Offsets are rounded to 10 ms, and what is counted is off by 3.4 ms after a day.
    expect(worst).toBeLessThan(9);
    // What would add up without Periods is 17 s at 200 ppm; each takes a second of it.
    expect(drift).toBeCloseTo((86_400_000 * Math.abs(ppm)) / 1e6, -1);
    expect(periods).toBe(1 + Math.floor(drift / 1000));
  });
});

describe('Periods', () => {
  const segment = (sequence: number, late: number, discontinuity = false) => ({
    sequence,
    at: samples(sequence * GRID.segment),
    utc: utc(START + (sequence - 100) * SEGMENT + late),
    discontinuity,
    discontinuities: 0,
    parts: [],
    complete: true,
    name: String(sequence),
  });

  it('promise UTC by their one tie', () => {
    const [period] = periodsOf([], [segment(100, 0)], GRID);
    if (period === undefined) throw new Error('There is no Period.');
    expect(promised(period, samples(101 * GRID.segment))).toBe(START + SEGMENT);
    expect(driftOf(period, segment(103, 40))).toBe(40);
  });

  it('offer what comes early only while they are on: Shaka counts a segment too many else', () => {
    const window = new GrowingWindow();
    window.growBy(3);
    window.cut(1000);
    window.growBy(2);
    const view = manifestViewOf(window, periodsOf([], window.segments, GRID));
    const offsets = childrenOf(parseXml(manifest(view)), 'Period').map((period) =>
      childrenOf(period, 'AdaptationSet').map((set) =>
        attributeOf(childrenOf(set, 'SegmentTemplate')[0], 'availabilityTimeOffset'),
      ),
    );
    expect(offsets).toEqual([
      ['', ''],
      ['3.52', '3.52'],
    ]);
  });

  it('follow a second of drift, not less', () => {
    const segments = [segment(100, 0), segment(101, 999), segment(102, 1000), segment(103, 1500)];
    expect(periodsOf([], segments, GRID).map(({ sequence }) => sequence)).toEqual([100, 102]);
  });

  it('never begin before the one before them, however a clock was set', () => {
    const segments = [segment(100, 0), segment(101, -3_600_000), segment(102, -3_600_000, true)];
    const periods = periodsOf([], segments, GRID);
    expect(periods.map(({ sequence }) => sequence)).toEqual([100, 102]);
    expect(periods[1]?.utc).toBe(START + SEGMENT);
  });
});

describe('zero of a manifest', () => {
  const periods: readonly Period[] = [{ sequence: 9, at: samples(0), utc: utc(START + 9000) }];
  const begun = START;

  it('is the beginning of a broadcast, whatever its window has left, and stays so at its end', () => {
    for (const ended of [false, true])
      expect(zeroOf(periods, { begun, ended, continuous: false })).toBe(START);
  });

  it('is the same for ever, and over restarts, on a channel that goes on for ever', () => {
    expect(zeroOf(periods, { begun, ended: false, continuous: true })).toBe(0);
    expect(zeroOf([], { begun: utc(START + 1), ended: false, continuous: true })).toBe(0);
  });

  it('is the oldest Period once such a channel was stopped', () => {
    expect(zeroOf(periods, { begun, ended: true, continuous: true })).toBe(START + 9000);
  });
});
