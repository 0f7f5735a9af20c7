/**
 * The Periods of a live manifest: stretches of track time, each tied to UTC once. A publisher's
 * sound card runs up to 200 ppm beside UTC, 17 s a day, and a manifest's clock does not: so a Period
 * also ends when its tie is a second off.
 */
import {
  type Millis,
  millis,
  type Samples,
  samples,
  samplesToMillis,
  type Utc,
  utc,
} from '../../shared/time.ts';
import type { Grid, Segment } from './track.ts';

/** One Period. It never changes once it was published. */
export type Period = {
  /** Sequence number of its first segment, never reused; `p` and this is its id. */
  readonly sequence: number;
  /** Track time of its first sample: its presentationTimeOffset. */
  readonly at: Samples;
  /** Where it stands in UTC: its start. */
  readonly utc: Utc;
};

const MOST_DRIFT = 1000;

/** UTC that a Period promises for a moment of track time, by its one tie. */
export const promised = (period: Period, at: Samples): Utc =>
  utc(period.utc + samplesToMillis(samples(at - period.at)));

/** How much later than promised a segment was captured; negative when it was earlier. */
export const driftOf = (period: Period, segment: Pick<Segment, 'at' | 'utc'>): Millis =>
  millis(segment.utc - promised(period, segment.at));

const opens = (period: Period, segment: Segment, grid: Grid): boolean => {
  if (segment.sequence <= period.sequence) return false;
  if (segment.discontinuity) return true;
  const drift = driftOf(period, segment);
  // Periods follow each other in UTC too, so a clock that was set back far cannot be followed.
  const follows = segment.utc >= period.utc + samplesToMillis(grid.segment);
  return drift >= MOST_DRIFT || (drift <= -MOST_DRIFT && follows);
};

const begin = (previous: Period | undefined, segment: Segment, grid: Grid): Period => {
  const earliest = (previous?.utc ?? Number.NEGATIVE_INFINITY) + samplesToMillis(grid.segment);
  return {
    sequence: segment.sequence,
    at: segment.at,
    utc: utc(Math.max(segment.utc, earliest)),
  };
};

/**
 * Carries the Periods on to a window: `previous` is what this function last gave (empty at first;
 * kept with the window over restarts), and Periods that the window has left are dropped.
 */
export const periodsOf = (
  previous: readonly Period[],
  segments: readonly Segment[],
  grid: Grid,
): readonly Period[] => {
  const first = segments[0];
  if (first === undefined) return [];
  const periods = [...previous];
  for (const segment of segments) {
    const last = periods.at(-1);
    if (last === undefined || opens(last, segment, grid)) periods.push(begin(last, segment, grid));
  }
  return periods.filter((_, index) => {
    const next = periods[index + 1];
    return next === undefined || next.sequence > first.sequence;
  });
};

/**
 * Zero of a manifest (availabilityStartTime), which may never change, nor may a Period's distance
 * from it. For a channel that goes on for ever, also over restarts, it is the moment nobody has to
 * remember: where UTC begins. A broadcast has its zero where its first Period `begun`. What ended on
 * a continuous channel is told from its oldest Period on, for it would be 56 years long.
 */
export const zeroOf = (
  periods: readonly Period[],
  { begun, ended, continuous }: { begun: Utc; ended: boolean; continuous: boolean },
): Utc => {
  if (!continuous) return begun;
  return ended ? (periods[0]?.utc ?? begun) : utc(0);
};
