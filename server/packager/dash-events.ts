/**
 * Titles in a manifest, for players that do not read the `emsg` in the media, and for those that
 * come in the middle of a title (ISO/IEC 23009-1 section 5.10).
 */
import type { Samples } from '../../shared/time.ts';
import { SAMPLE_RATE, samples } from '../../shared/time.ts';
import type { Period } from './dash-periods.ts';
import { element, type Xml } from './dash-xml.ts';
import type { TimedMetadata } from './track.ts';

/** Announces the ID3 tags in the media: the scheme that `mediaPart` writes into `emsg`. */
export const INBAND_EVENTS = element('InbandEventStream', {
  schemeIdUri: 'https://aomedia.org/emsg/ID3',
});

/** Scheme of the titles in the manifest: each event is a title as JSON, `artist` and so on. */
const TITLES = 'urn:skywave:title:2026';
/** dash.js tells those who come later of an event only while it lasts, and nobody knows its end. */
const UNTIL_FURTHER_NOTICE = samples(24 * 3600 * SAMPLE_RATE);
const TWO_TO_32 = 0x1_0000_0000;

/** What holds within a Period: of several titles from the same sample the last. */
const titlesIn = (
  titles: readonly TimedMetadata[],
  { from, to }: { from: Samples; to: number },
): readonly TimedMetadata[] =>
  titles.filter(({ at }, index) => {
    const next = titles[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    return at < to && next > at && next > from;
  });

const event = (
  { at, title, artist, artwork, url }: TimedMetadata,
  from: Samples,
  end?: Samples,
) => {
  const begun = Math.max(at, from);
  const words = Object.entries({ title, artist, artwork, url }).filter(([, word]) => word !== null);
  return element(
    'Event',
    {
      presentationTime: begun,
      duration: end === undefined ? UNTIL_FURTHER_NOTICE : end - begun,
      id: at % TWO_TO_32,
    },
    JSON.stringify(Object.fromEntries(words)),
  );
};

/**
 * The titles of one Period, oldest first; one that began earlier and still holds is told again at
 * its beginning, under the same id. `from` is the oldest sample that can be had.
 */
export const titleEvents = (
  period: Period,
  titles: readonly TimedMetadata[],
  { from, to }: { readonly from: Samples; readonly to: number },
): Xml[] => {
  const held = titlesIn(titles, { from, to });
  if (held.length === 0) return [];
  const attributes = {
    schemeIdUri: TITLES,
    timescale: SAMPLE_RATE,
    presentationTimeOffset: period.at,
  };
  const last = Number.isFinite(to) ? samples(to) : undefined;
  const events = held.map((one, index) => event(one, period.at, held[index + 1]?.at ?? last));
  return [element('EventStream', attributes, events)];
};
