/** What is encoded where nothing else is configured. */
import type { LadderStep, LowRate } from './messages.ts';

/** The AAC renditions. */
export const LADDER: readonly LadderStep[] = [
  { name: 'aac128', bitrate: 128_000 },
  { name: 'aac64', bitrate: 64_000 },
];

/** The low-rate Opus renditions; id 0 is the publisher's own. */
export const LOW_RATES: readonly LowRate[] = [
  { name: 'opus48', id: 1, bitrate: 48_000 },
  { name: 'opus24', id: 2, bitrate: 24_000 },
];
