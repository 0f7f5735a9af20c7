/** When the transcoder sends its child what it has gathered. */
import type { Samples } from '../../shared/time.ts';
import { DELAY, UNIT } from './aac-encoder.ts';

/** What pieces gather to before they are sent: the shortest part. */
const GATHER = 15 * UNIT;

/** Messages with all sound up to a track time: the last unit of a part needs the encoder's delay. */
export const messagesUntil = (end: number): number => Math.floor((end - DELAY) / GATHER);

/** The same, and the shortest parts that end up to there. */
export const turnsUntil = (end: Samples): number => Math.floor(end / GATHER) + messagesUntil(end);
