/**
 * What the parts of the packager hand to each other.
 *
 * **Track time** is the packager's own clock: 48 kHz samples that only grow, across epochs and
 * restarts. Within a stretch it is gapless; at a discontinuity it jumps to the next multiple of a
 * segment. So every part begins at a multiple of the grid's part and every segment at a multiple of
 * its segment, in all renditions alike, and only the last segment of a stretch may be shorter (in
 * whole parts). A channel's first stretch begins at a multiple of a segment that is kept over
 * restarts. UTC is tied to track time by an anchor for each stretch.
 */
import type { Frame } from '../../shared/frame.ts';
import type { Samples, Utc } from '../../shared/time.ts';

/** Lengths on which every rendition cuts (ARCHITECTURE, decision 8). */
export type Grid = {
  /** 15360 samples = 0.32 s = 15 AAC frames = 16 Opus frames of 20 ms, or a multiple. */
  readonly part: Samples;
  /** A multiple of `part`: 184320 samples = 3.84 s. */
  readonly segment: Samples;
};

/** One piece of a channel's gapless sound, in track time; each begins where the one before ended. */
export type Piece =
  | { readonly kind: 'frame'; readonly at: Samples; readonly frame: Frame }
  /** Nobody said anything, or it came too late: `duration` is a multiple of 120. */
  | { readonly kind: 'silence'; readonly at: Samples; readonly duration: Samples }
  /**
   * A new stretch: another epoch, or a new anchor; the first piece ever is one. The piece before was
   * padded with silence to a whole part; `at` is a multiple of the grid's segment, `utc` is the UTC
   * of capture of `at`.
   */
  | { readonly kind: 'discontinuity'; readonly at: Samples; readonly utc: Utc };

/** One encoding of the sound for players. */
export type Rendition = {
  /** Part of URLs: `aac128`, `aac64`, `opus`. */
  readonly name: string;
  readonly codec: 'aac' | 'opus';
  readonly channels: 1 | 2;
  /** Nominal, bit/s. */
  readonly bitrate: number;
};

/** One coded frame of a rendition: 1024 samples of AAC-LC (raw, no ADTS), or one Opus packet. */
export type AccessUnit = {
  /** Track time of the first sample it decodes to. */
  readonly at: Samples;
  readonly duration: Samples;
  readonly bytes: Uint8Array;
};

/** A title and from where on it holds, in track time. */
export type TimedMetadata = {
  readonly at: Samples;
  readonly title: string;
  readonly artist: string | null;
  readonly artwork: string | null;
  readonly url: string | null;
};

/** A part of a segment: one `moof` and `mdat`, immutable. Audio is always independent. */
export type Part = {
  readonly at: Samples;
  readonly duration: Samples;
  readonly bytes: Buffer;
};

/** A segment of one rendition. It grows part by part and is immutable once complete. */
export type Segment = {
  /** HLS media sequence number: track time divided by the grid's segment, never reused. */
  readonly sequence: number;
  readonly at: Samples;
  /** UTC of its first sample. */
  readonly utc: Utc;
  /** It begins a stretch that is not the first of the channel's life. */
  readonly discontinuity: boolean;
  /** Discontinuities before this segment, ever (HLS EXT-X-DISCONTINUITY-SEQUENCE counts them). */
  readonly discontinuities: number;
  readonly parts: readonly Part[];
  readonly complete: boolean;
  /** Length as a transport stream, once complete; absent for renditions that have none. */
  readonly tsBytes?: number;
  /** Name in URLs without extension; unguessable, never reused. */
  readonly name: string;
  /** Of an old segment: what its parts came to, which are no longer kept and not in `parts`. */
  readonly folded?: { readonly duration: Samples; readonly bytes: number };
};

/** Playlists of a rendition: parts and fMP4, or whole segments of MPEG-TS. */
export type Format = 'fmp4' | 'ts';
