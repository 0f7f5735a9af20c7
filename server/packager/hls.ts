/**
 * HLS playlists as text, for one window of one rendition (RFC 8216bis, draft 16). Pure: the same
 * view gives the same text. One grid serves all renditions, so target durations, sequence numbers
 * and discontinuities agree in all of them without further care.
 */
import { SAMPLE_RATE, type Samples, samples } from '../../shared/time.ts';
import { codecOf } from './fmp4-init.ts';
import { type Bitrates, durationOf, targetDuration } from './hls-bitrates.ts';
import { type DatedTitle, dateRange, quoted, titlesSince } from './hls-titles.ts';
import type { Format, Grid, Rendition, Segment } from './track.ts';

/** Where another rendition of the same multivariant playlist stands. */
export type Sibling = {
  /** Relative to the playlist. */
  readonly uri: string;
  readonly lastMsn: number;
  /** Index of the last part of segment `lastMsn` that can be fetched. */
  readonly lastPart: number;
};

/** What one media playlist tells of one rendition. */
export type PlaylistView = {
  readonly grid: Grid;
  /**
   * Oldest first, sequence numbers without a hole, at least one complete. Only the last may be
   * incomplete, and once `ended` it is not.
   */
  readonly segments: readonly Segment[];
  /** Nothing will follow, ever: ENDLIST. Never true on a continuous channel. */
  readonly ended: boolean;
  /** Of the initialization segment; null for MPEG-TS. */
  readonly initUri: string | null;
  /** Parts, hints and reports as well. */
  readonly lowLatency: boolean;
  /** The part that comes next, of the segment named; null when nobody knows. */
  readonly hint: { readonly name: string; readonly index: number } | null;
  /** Relative to the playlist; without `part` of the whole segment. */
  readonly uriOf: (segment: Pick<Segment, 'name'>, part?: number) => string;
  /** Oldest first. */
  readonly metadata: readonly DatedTitle[];
  readonly siblings: readonly Sibling[];
  /** Lines of old segments from one rendering to the next: a day has 22,500 of them. */
  readonly written?: WeakMap<Segment, string>;
};

/** What one entry of a multivariant playlist needs. */
export type Variant = {
  readonly rendition: Rendition;
  /** Of its media playlist, relative to the multivariant one. */
  readonly uri: string;
  readonly bitrates: Bitrates;
};

// A fourth part in hand keeps hls.js from stalling (MEASURED, HLS and DASH).
const PARTS_HELD_BACK = 4;
const TARGETS_HELD_BACK = 3;
const TARGETS_UNSKIPPED = 6;
/** With the incomplete one this stays within three target durations of the end. */
const COMPLETE_WITH_PARTS = 2;
/** What each text needs and no more, so that old players do not turn away (section 8). */
const VERSION = { plain: 3, map: 6, skip: 9 } as const;

const seconds = (length: Samples): string => (length / SAMPLE_RATE).toFixed(3);

const completeIn = (segments: readonly Segment[]): number =>
  segments.length - (segments.at(-1)?.complete === false ? 1 : 0);

/** How many of the oldest segments a delta update leaves out: those beyond the skip boundary. */
const skippable = ({ grid, segments, ended }: PlaylistView): number => {
  if (ended) return 0;
  const boundary = TARGETS_UNSKIPPED * targetDuration(grid) * SAMPLE_RATE;
  let behind = 0;
  for (let index = completeIn(segments) - 1; index >= 0; index -= 1) {
    if (behind > boundary) return index + 1;
    behind += durationOf(segments[index] as Segment);
  }
  return 0;
};

const serverControl = (view: PlaylistView): string => {
  const target = targetDuration(view.grid);
  const attributes = ['CAN-BLOCK-RELOAD=YES'];
  if (skippable(view) > 0)
    attributes.push(`CAN-SKIP-UNTIL=${(TARGETS_UNSKIPPED * target).toFixed(3)}`);
  attributes.push(`HOLD-BACK=${(TARGETS_HELD_BACK * target).toFixed(3)}`);
  if (view.lowLatency)
    attributes.push(`PART-HOLD-BACK=${seconds(samples(PARTS_HELD_BACK * view.grid.part))}`);
  return `#EXT-X-SERVER-CONTROL:${attributes.join(',')}`;
};

const header = (view: PlaylistView, first: Segment, skipped: number): string[] => {
  const { grid, initUri, lowLatency } = view;
  const version = skipped > 0 ? VERSION.skip : initUri === null ? VERSION.plain : VERSION.map;
  return [
    '#EXTM3U',
    `#EXT-X-VERSION:${version}`,
    `#EXT-X-TARGETDURATION:${targetDuration(grid)}`,
    serverControl(view),
    ...(lowLatency ? [`#EXT-X-PART-INF:PART-TARGET=${seconds(grid.part)}`] : []),
    `#EXT-X-MEDIA-SEQUENCE:${first.sequence}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${first.discontinuities}`,
    // A delta update leaves out the tags of the segments it skips, and MAP is one of them.
    ...(skipped > 0 ? [`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`] : []),
    ...(initUri === null || skipped > 0 ? [] : [`#EXT-X-MAP:URI=${quoted(initUri)}`]),
  ];
};

const partLines = (view: PlaylistView, segment: Segment): string[] =>
  segment.parts.map((part, index) => {
    const uri = quoted(view.uriOf(segment, index));
    return `#EXT-X-PART:DURATION=${seconds(part.duration)},INDEPENDENT=YES,URI=${uri}`;
  });

const segmentLines = (view: PlaylistView, segment: Segment, withParts: boolean): string[] => [
  ...(segment.discontinuity ? ['#EXT-X-DISCONTINUITY'] : []),
  `#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.utc).toISOString()}`,
  ...(withParts ? partLines(view, segment) : []),
  ...(segment.complete ? [`#EXTINF:${seconds(durationOf(segment))},`, view.uriOf(segment)] : []),
];

const segmentText = (view: PlaylistView, segment: Segment, withParts: boolean): string => {
  const kept = view.written?.get(segment);
  if (kept !== undefined) return kept;
  const text = segmentLines(view, segment, withParts).join('\n');
  if (segment.folded !== undefined) view.written?.set(segment, text);
  return text;
};

/** Beyond the end of its segment a part is the first of the next, whose name the hint lacks. */
const hintLine = ({ grid, hint, uriOf }: PlaylistView): string[] =>
  hint === null || hint.index * grid.part >= grid.segment
    ? []
    : [`#EXT-X-PRELOAD-HINT:TYPE=PART,URI=${quoted(uriOf(hint, hint.index))}`];

const trailer = (view: PlaylistView): string[] => {
  if (view.ended) return ['#EXT-X-ENDLIST'];
  if (!view.lowLatency) return [];
  return [
    ...hintLine(view),
    ...view.siblings.map(
      ({ uri, lastMsn, lastPart }) =>
        `#EXT-X-RENDITION-REPORT:URI=${quoted(uri)},LAST-MSN=${lastMsn},LAST-PART=${lastPart}`,
    ),
  ];
};

/**
 * Renders a media playlist; with `skip` a delta update where the window is long enough for one, and
 * the full text where not.
 */
export const mediaPlaylist = (view: PlaylistView, { skip = false } = {}): string => {
  const { segments, lowLatency, metadata } = view;
  const first = segments[0];
  if (first === undefined) return '';
  const skipped = skip ? skippable(view) : 0;
  const complete = completeIn(segments);
  const lines = [
    ...header(view, first, skipped),
    ...titlesSince(metadata, first.utc).map(dateRange),
    ...segments.slice(skipped).flatMap((segment, index) => {
      if (!segment.complete && (!lowLatency || segment.parts.length === 0)) return [];
      const withParts = lowLatency && skipped + index >= complete - COMPLETE_WITH_PARTS;
      return [segmentText(view, segment, withParts)];
    }),
    ...trailer(view),
  ];
  return `${lines.join('\n')}\n`;
};

/**
 * Renders a multivariant playlist of the variants with one codec, in the order given: the first is
 * where players begin. Opus has one of its own, for Apple's list of codecs is without it. Transport
 * streams are for old equipment, which may refuse a version that it does not know.
 */
export const multivariantPlaylist = (
  variants: readonly Variant[],
  { codec, format }: { codec: Rendition['codec']; format: Format },
): string => {
  const chosen = variants.filter((variant) => variant.rendition.codec === codec);
  const lines = chosen.flatMap(({ rendition, uri, bitrates }) => [
    `#EXT-X-STREAM-INF:BANDWIDTH=${bitrates.peak},AVERAGE-BANDWIDTH=${bitrates.average},CODECS=${quoted(codecOf(rendition))}`,
    uri,
  ]);
  const version = format === 'ts' ? VERSION.plain : VERSION.map;
  const top = ['#EXTM3U', `#EXT-X-VERSION:${version}`, '#EXT-X-INDEPENDENT-SEGMENTS'];
  return `${[...top, ...lines].join('\n')}\n`;
};
