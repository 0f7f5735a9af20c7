/** What the player knows of the way its sound takes; there are two, and it sees no difference. */
import type { Millis, Samples, Utc } from '../../shared/time.ts';
import type { HeardAt } from '../net/messages.ts';
import type { PlayerEvent } from './player.ts';
import type { Obstacle, OfferedRendition, Transport } from './quality.ts';

/** The sample being heard. */
export type Position = { readonly epoch: number; readonly timestamp: Samples };

/**
 * Counts since Listen. Over the WebSocket: `buffered` and `target` in ms, the rest in frames. Over
 * HLS: `concealed` are times the sound stood still, `skipped` times it jumped to live, and
 * `received` parts or segments (0 where the browser plays HLS itself and tells nobody).
 */
export type PlayoutStats = {
  readonly buffered: number;
  readonly target: number;
  readonly concealed: number;
  readonly skipped: number;
  readonly received: number;
};

/** What is heard at a moment. */
export type Heard = {
  /** Seconds from microphone to ear; null while unknown. */
  readonly latency: number | null;
  /** Null over HLS, which knows UTC and no epochs. */
  readonly position: Position | null;
  readonly stats: PlayoutStats;
  /** Linear; null where nobody looks at the samples. */
  readonly peak: number | null;
  /** Name of the rendition that plays; null while unknown. */
  readonly rendition: string | null;
  /** The server's clock less this browser's, ms; null where this way does not learn it. */
  readonly clockOffset: number | null;
  /** The same sample as a place to go on from; null where this way cannot. */
  readonly at: HeardAt | null;
};

/** What a way says to the player. */
export type PathEvent =
  | { readonly type: 'player'; readonly event: PlayerEvent }
  | {
      readonly type: 'offer';
      readonly transport: Transport;
      readonly renditions: readonly OfferedRendition[];
    }
  | { readonly type: 'heard'; readonly heard: Heard }
  /** Whether what comes is the past; `since` is how far back there is any, when that is news. */
  | { readonly type: 'place'; readonly shifted: boolean; readonly since?: Utc | null }
  /** How far back there is any sound by now, and the server's clock less this browser's, ms. */
  | { readonly type: 'reach'; readonly since: Utc; readonly clockOffset: number }
  /** The past comes so much faster than it was said from now on; a place begins at 1. */
  | { readonly type: 'rate'; readonly rate: number }
  /** It does not work this way, here and now; without an obstacle it works no way at all. */
  | { readonly type: 'unfit'; readonly obstacle: Obstacle | null };

/** One way of the sound, from Listen until it is left. */
export interface ListenPath {
  /** Linear, 0 to 1. */
  setVolume(volume: number): void;
  /** Pins a rendition by name; null lets the path choose and choose again. */
  select(rendition: string | null): void;
  /** Goes so far behind live; absent where there is no way back. */
  seek?(behind: Millis): void;
  /** Plays the past so much faster, without a change of pitch; absent where that is not to be had. */
  setRate?(rate: number): void;
  leave(): void;
}
