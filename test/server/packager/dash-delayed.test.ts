import { expect, it } from 'vitest';
import { manifest } from '../../../server/packager/dash.ts';
import { periodsOf } from '../../../server/packager/dash-periods.ts';
import { millis, samplesToMillis, utc } from '../../../shared/time.ts';
import { manifestViewOf } from '../../helpers/channel-manifest.ts';
import { GRID, GrowingWindow } from '../../helpers/channel-window.ts';
import { lintDash } from '../../helpers/dash-linter.ts';

const SEGMENT = samplesToMillis(GRID.segment);
const LATENCY = millis(20_000);

/** Segments, a hole in ms, and segments, of which so many ms are in the window. */
const delayed = (before: number, hole = 0, after = 0, listed = 60_000): string => {
  const window = new GrowingWindow({ length: 30 });
  window.growBy(before);
  if (after > 0) window.cut(hole);
  window.growBy(after);
  const periods = periodsOf([], window.segments, GRID);
  const newest = window.segments.at(-1);
  return manifest(
    manifestViewOf(window, periods, {
      addressing: 'number',
      latency: LATENCY,
      windowLength: millis(listed),
      published: utc((newest?.utc ?? 0) + SEGMENT),
    }),
  );
};

it.each([
  ['has been on for longer', delayed(10), 20],
  ['has been on for two segments', delayed(2), 7.68],
  ['has been on again for longer after a hole', delayed(4, 9000, 7), 20],
  ['was not on then, but for two segments since', delayed(6, 15_000, 2), 7.68],
  ['was on then, before a short hole', delayed(9, 3000, 2), 20],
  ['has a window that is shorter', delayed(10, 0, 0, 19_200), 19.2],
])('a delayed manifest begins where there is sound: one that %s', (_, text, behind) => {
  expect(lintDash(text)).toEqual([]);
  expect(text).toContain(`suggestedPresentationDelay="PT${behind}S"`);
  expect(text).toContain(`target="${behind * 1000}"`);
});
