/** Views of manifests as the packager makes them, for the tests of texts about them. */

import type { Period } from '../../server/packager/dash-periods.ts';
import type { ManifestView } from '../../server/packager/dash-view.ts';
import { type Bitrates, bitratesOf } from '../../server/packager/hls-bitrates.ts';
import type { Rendition } from '../../server/packager/track.ts';
import { millis, samples, samplesToMillis, utc } from '../../shared/time.ts';
import { GRID, type GrowingWindow, START } from './channel-window.ts';

/** As if the newest part had come the moment it was whole, on a clock that is never set. */
const newestEnd = (segments: ManifestView['sets'][number]['segments']): number =>
  (segments.at(-1)?.parts.at(-1)?.at ?? 0) + GRID.part - 100 * GRID.segment;
const rendition = (name: string, codec: 'aac' | 'opus' = 'aac'): Rendition => ({
  name,
  codec,
  channels: 2,
  bitrate: 128_000,
});

/** The view of a manifest on a window: the AAC ladder, and Opus. */
export const manifestViewOf = (
  window: Pick<GrowingWindow, 'segments' | 'ended'>,
  periods: readonly Period[],
  overrides: Partial<ManifestView> = {},
): ManifestView => {
  const { segments, ended } = window;
  const bitrates: Bitrates = bitratesOf(rendition('aac128'), segments, { grid: GRID });
  const representations = ['aac128', 'aac64'].map((name) => ({
    rendition: rendition(name),
    bitrates,
  }));
  return {
    grid: GRID,
    title: 'Channel <1> & "more"',
    sets: [
      { id: 1, representations, segments },
      { id: 2, representations: [{ rendition: rendition('opus', 'opus'), bitrates }], segments },
    ],
    periods,
    ended,
    addressing: 'timeline',
    availabilityStart: START,
    titles: [],
    windowLength: millis(60_000),
    published: utc(START + samplesToMillis(samples(newestEnd(segments)))),
    initUri: '../media/k3y/$RepresentationID$/init.mp4',
    mediaUri: '../media/k3y/$RepresentationID$/$Number$.m4s',
    timeUri: '/api/v1/time',
    ...overrides,
  };
};
