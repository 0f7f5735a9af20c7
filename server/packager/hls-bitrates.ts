/** Bit rates as playlists and manifests declare them, measured on the bytes really served. */
import { SAMPLE_RATE, type Samples, samples } from '../../shared/time.ts';
import type { Format, Grid, Rendition, Segment } from './track.ts';

/** Bits a second, both rounded up to whole kbit/s so that a text does not change with every part. */
export type Bitrates = {
  /** The largest of any run of segments that lasts 0.5 to 1.5 target durations. */
  readonly peak: number;
  readonly average: number;
};

const ROUND_TO = 1000;
/** What has no more at its peak is Opus of silence, bit/s. */
const SILENT_MOST = 10_000;

/** Length of a segment as far as it goes. */
export const durationOf = ({ folded, parts }: Segment): Samples =>
  folded?.duration ?? samples(parts.reduce((sum, part) => sum + part.duration, 0));

/** Bytes of a segment as far as it goes. */
export const bytesOf = ({ folded, parts }: Segment): number =>
  folded?.bytes ?? parts.reduce((sum, part) => sum + part.bytes.length, 0);

const rate = (bytes: number, duration: number): number =>
  duration === 0 ? 0 : Math.ceil((bytes * 8 * SAMPLE_RATE) / duration / ROUND_TO) * ROUND_TO;

/** Whole seconds that EXT-X-TARGETDURATION declares for a grid; it never changes. */
export const targetDuration = (grid: Grid): number =>
  Math.max(1, Math.round(grid.segment / SAMPLE_RATE));

/**
 * Measures the complete segments of a window, or what there is (RFC 8216bis section 4.4.6.2: peak
 * segment rate), in the format that is served.
 */
const measured = (segments: readonly Segment[], grid: Grid, format: Format): Bitrates => {
  const complete = segments.filter((segment) => segment.complete);
  const sizes = (complete.length > 0 ? complete : segments).map((segment) => ({
    bytes: format === 'ts' ? (segment.tsBytes ?? 0) : bytesOf(segment),
    duration: durationOf(segment),
  }));
  const average = rate(
    sizes.reduce((sum, size) => sum + size.bytes, 0),
    sizes.reduce((sum, size) => sum + size.duration, 0),
  );
  const target = targetDuration(grid) * SAMPLE_RATE;
  let peak = average;
  for (let first = 0; first < sizes.length; first += 1) {
    let bytes = 0;
    let duration = 0;
    for (let index = first; index < sizes.length; index += 1) {
      const size = sizes[index] as (typeof sizes)[number];
      bytes += size.bytes;
      duration += size.duration;
      if (duration > 1.5 * target) break;
      if (duration >= 0.5 * target) peak = Math.max(peak, rate(bytes, duration));
    }
  }
  return { peak, average };
};

/**
 * What is declared of a rendition. A player reads it once, perhaps in the silence between two
 * broadcasts, of which Opus makes next to nothing: then the peak is what the rendition may have.
 */
export const bitratesOf = (
  { bitrate }: Pick<Rendition, 'bitrate'>,
  segments: readonly Segment[],
  { grid, format = 'fmp4' }: { readonly grid: Grid; readonly format?: Format },
): Bitrates => {
  const { peak, average } = measured(segments, grid, format);
  return { peak: peak <= SILENT_MOST ? bitrate : peak, average };
};
