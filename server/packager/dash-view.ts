/** What a manifest tells of a channel, and which segments are in which of its Periods. */
import { type Millis, samplesToMillis, type Utc } from '../../shared/time.ts';
import { type Period, promised } from './dash-periods.ts';
import { type Bitrates, durationOf } from './hls-bitrates.ts';
import type { Grid, Rendition, Segment, TimedMetadata } from './track.ts';

/** Encodings between which a player may switch: the AAC ladder, or Opus. */
export type AdaptationSet = {
  /** Stable: 1 for AAC, 2 for Opus. */
  readonly id: number;
  readonly representations: readonly {
    readonly rendition: Rendition;
    readonly bitrates: Bitrates;
  }[];
  /** Of the rendition that is furthest behind; at least one with a part, the last may grow. */
  readonly segments: readonly Segment[];
};

/** Segments are listed, or counted. */
export type Addressing = 'timeline' | 'number';

/** What a manifest tells of a channel. */
export type ManifestView = {
  readonly grid: Grid;
  readonly title: string;
  readonly sets: readonly AdaptationSet[];
  /** Of `periodsOf`, for the same segments. */
  readonly periods: readonly Period[];
  readonly ended: boolean;
  /**
   * How segments are found: listed in a SegmentTimeline, or counted from the start of their Period,
   * which the grid makes exact. Shaka takes the live edge from a timeline, for which a growing
   * segment counts as whole, and stalls unless it stays well behind; counted, it does not. FFmpeg
   * counts wrongly in all but the first Period of a channel's life, and needs the list. It stays as
   * it began once `ended`: Shaka falls over a Period that was counted and is listed.
   */
  readonly addressing: Addressing;
  /** Zero of the presentation: fixed for its life, before all Periods. */
  readonly availabilityStart: Utc;
  readonly windowLength: Millis;
  /** Oldest first. */
  readonly titles: readonly TimedMetadata[];
  /** When the newest part came, by the server's clock. */
  readonly published: Utc;
  /** Ear to microphone that players should aim at, where there is so much; undefined: low latency. */
  readonly latency?: Millis | undefined;
  /** Relative to the manifest, with `$RepresentationID$`. */
  readonly initUri: string;
  /** Relative to the manifest, with `$RepresentationID$` and `$Number$`. */
  readonly mediaUri: string;
  /** Answers with UTC in ISO 8601. */
  readonly timeUri: string;
};

/** A Period as it is told: from a segment on that has a number, and as it began. */
export type Told = Period & { readonly number: number; readonly begun: Period };

/** A Period between those before and after it. */
export type Neighbours = {
  readonly period: Told;
  readonly previous: Period | undefined;
  readonly next: Period | undefined;
};

/** Segments of a set in a Period that have a part. */
export const segmentsIn = ({ segments }: AdaptationSet, { period, next }: Neighbours): Segment[] =>
  segments.filter(
    (segment) =>
      segment.sequence >= period.sequence &&
      segment.sequence < (next?.sequence ?? Number.POSITIVE_INFINITY) &&
      durationOf(segment) > 0,
  );

/** Where the newest sample of a Period stands on the manifest's clock. */
export const endOf = (view: ManifestView, neighbours: Neighbours): number => {
  const { period, next } = neighbours;
  const newest = view.sets.flatMap((set) => segmentsIn(set, neighbours)).at(-1);
  if (newest === undefined) return period.utc;
  const end = promised(period, newest.at) + samplesToMillis(durationOf(newest));
  return Math.min(end, next?.utc ?? Number.POSITIVE_INFINITY);
};

/**
 * While it is live a Period never changes, though the window leaves it. What has ended begins with
 * what there still is: players count from the start of a Period, and come for all of it.
 */
const told = (view: ManifestView, period: Period): Told => {
  const firsts = view.sets.map(({ segments }) =>
    segments.find(({ sequence }) => sequence >= period.sequence),
  );
  const first = firsts.reduce((one, other) =>
    (other?.sequence ?? 0) > (one?.sequence ?? 0) ? other : one,
  );
  if (!view.ended || first === undefined)
    return { ...period, number: period.sequence, begun: period };
  const { at, sequence } = first;
  return { ...period, at, utc: promised(period, at), number: sequence, begun: period };
};

/** The Periods of a manifest, oldest first. */
export const neighboursIn = (view: ManifestView): Neighbours[] => {
  const periods = view.periods.map((period) => told(view, period));
  return periods.map((period, index) => ({
    period,
    previous: periods[index - 1],
    next: periods[index + 1],
  }));
};
