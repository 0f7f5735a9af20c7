/** What a media element that plays HLS is told, and what it says. */
import type { Utc } from '../../shared/time.ts';
import type { PastEvent } from './media-element-past.ts';
import type { Variant } from './media-element-source.ts';

/** What the element plays, four times a second; counts are since the player began. */
export type ElementReading = {
  readonly phase: 'priming' | 'playing' | 'starved';
  /** Seconds from microphone to ear, as far as playlist and clocks tell; else null. */
  readonly delay: number | null;
  /** Sound in hand, and how far behind the live edge it aims (0: the browser decides), ms. */
  readonly buffered: number;
  readonly target: number;
  readonly stalls: number;
  /** Jumps to the live edge. */
  readonly jumps: number;
  /** Parts or segments. */
  readonly received: number;
  /** Name of the variant that plays; null while unknown. */
  readonly variant: string | null;
};

/** What happens to the player. */
export type ElementEvent =
  | { readonly type: 'live'; readonly variants: readonly Variant[]; readonly lowLatency: boolean }
  /** `stuck`: it should play, and has stood still for long. */
  | { readonly type: 'off-air' | 'ended' | 'lost' | 'refused' | 'stuck' }
  /** The browser keeps the sound back until a press, or stopped it; and lets it sound again. */
  | { readonly type: 'blocked' | 'unblocked' }
  | { readonly type: 'reading'; readonly reading: ElementReading }
  | PastEvent
  /** hls.js could not be loaded. */
  | { readonly type: 'unplayable' };

/** What a player begins with. */
export type ElementOptions = {
  /** The multivariant playlist. */
  readonly url: string;
  /** Answers with UTC in ISO 8601. */
  readonly timeUrl: string;
  readonly lowLatency: boolean;
  /** The server's clock less this browser's, ms, where it was learnt better than by HTTP. */
  readonly clockOffset: number | null;
  /** Time of capture of what is to be heard first; null: live. */
  readonly from: Utc | null;
  readonly post: (event: ElementEvent) => void;
};

/** What is said where a channel's playlists give nothing to play. */
export const NOTHING_TO_PLAY = {
  ended: 'ended',
  missing: 'off-air',
  refused: 'refused',
  unreachable: 'lost',
} as const;
