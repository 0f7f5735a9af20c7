/** How close to live a person wants to be, and which way the sound can then take. */
import type { SpeakerErrorCode } from '../audio/speaker-error.ts';

/** From the closest to the safest, as they are offered. */
export const QUALITIES = ['closest', 'balanced', 'stable'] as const;

/** What a person chooses. */
export type Quality = (typeof QUALITIES)[number];

/** Which way the sound comes. */
export type Transport = 'websocket' | 'll-hls' | 'hls';

/** Why the closest way cannot be taken although it was chosen. */
export type Obstacle =
  | SpeakerErrorCode // frames cannot be played here
  | 'slow' // the server gave up on this listener (4408)
  | 'unreachable' // HTTP works, the socket does not
  | 'asleep'; // the browser stops Web Audio while the page is hidden

/** One encoding that a person may choose, or that plays. */
export type OfferedRendition = {
  /** Unique among what is offered: the catalog's id, or the name in the playlist. */
  readonly name: string;
  readonly codec: 'Opus' | 'AAC';
  /** Bit/s. */
  readonly bitrate: number;
};

/** The way to take; a network that was too slow for the socket gets the one with the most in hand. */
export const transportFor = (quality: Quality, obstacle: Obstacle | null): Transport => {
  if (quality === 'balanced') return 'll-hls';
  if (quality === 'stable' || obstacle === 'slow') return 'hls';
  return obstacle === null ? 'websocket' : 'll-hls';
};

/** Whether it is the loudspeaker: then waiting for the socket helps nobody. */
export const isOfSpeaker = (obstacle: Obstacle): obstacle is SpeakerErrorCode =>
  obstacle !== 'slow' && obstacle !== 'unreachable' && obstacle !== 'asleep';

/** Obstacles that may pass while somebody listens; the others stay, or tell when they go. */
const PASSING: ReadonlySet<Obstacle> = new Set(['files', 'device', 'slow', 'unreachable']);

/** Whether the closest way may work again later, in this very visit. */
export const mayPass = (obstacle: Obstacle | null): boolean =>
  obstacle !== null && PASSING.has(obstacle);
