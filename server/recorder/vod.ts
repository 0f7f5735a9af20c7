/**
 * A finished recording as HLS (RFC 8216): the units of its AAC copy, cut into segments as they are
 * asked for, so that nothing is kept twice. Names hold the copy's version and never mean other bytes.
 */
import { SAMPLE_RATE, type Samples, samples, type Utc } from '../../shared/time.ts';
import { mediaPart } from '../packager/fmp4.ts';
import { AAC_UNIT } from './mp4.ts';
import type { Chapter } from './opus-headers.ts';

/** Units in a segment: 5.76 s. */
const SEGMENT = 270;

/** Whole seconds that no segment exceeds. */
const TARGET = Math.ceil((SEGMENT * AAC_UNIT) / SAMPLE_RATE);

/** What is known of a copy. */
export type Vod = {
  /** Tells one copy of a recording from a later one. */
  readonly version: number;
  /** Units to be heard. */
  readonly units: number;
  readonly started: Utc;
};

/** Units of a segment, counted from the first to be heard; undefined when there is none. */
export const segmentUnits = (
  { units }: Vod,
  number: number,
): { readonly from: number; readonly to: number } | undefined => {
  const from = number * SEGMENT;
  return from < units ? { from, to: Math.min(units, from + SEGMENT) } : undefined;
};

/** The media playlist: complete from the beginning, with its end. */
export const vodPlaylist = (vod: Vod): string => {
  const { version, units, started } = vod;
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${TARGET}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-DISCONTINUITY-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    `#EXT-X-MAP:URI="${version}.mp4"`,
    `#EXT-X-PROGRAM-DATE-TIME:${new Date(started).toISOString()}`,
  ];
  for (let number = 0; number * SEGMENT < units; number += 1) {
    const { from, to } = segmentUnits(vod, number) ?? { from: 0, to: 0 };
    const seconds = ((to - from) * AAC_UNIT) / SAMPLE_RATE;
    lines.push(`#EXTINF:${seconds.toFixed(5)},`, `${version}-${number}.m4s`);
  }
  return `${[...lines, '#EXT-X-ENDLIST'].join('\n')}\n`;
};

/** One segment of its units, with the chapters that begin in it as timed metadata. */
export const vodSegment = (
  number: number,
  { units, chapters }: { units: readonly Uint8Array[]; chapters: readonly Chapter[] },
): Buffer => {
  const start = number * SEGMENT * AAC_UNIT;
  const within = (at: Samples): boolean => at >= start && at < start + units.length * AAC_UNIT;
  return mediaPart({
    sequence: number + 1,
    beginsSegment: true,
    units: units.map((bytes, index) => ({
      at: samples(start + index * AAC_UNIT),
      duration: samples(AAC_UNIT),
      bytes,
    })),
    metadata: chapters
      .filter(({ at }) => within(at))
      .map(({ at, name }) => ({ at, title: name, artist: null, artwork: null, url: null })),
  });
};
