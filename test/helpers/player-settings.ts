/** How players are told to stay close to live; everything else is theirs. */
import type { PlayerName } from './player-page.ts';

/** Settings for low latency without a change of speed, which is audible on music. */
export const LOW_LATENCY: Record<PlayerName, object> = {
  'hls.js': { lowLatencyMode: true, liveSyncDuration: 1.6, maxLiveSyncPlaybackRate: 1 },
  shaka: { streaming: { lowLatencyMode: true } },
  'dash.js': { streaming: { delay: { applyServiceDescription: true } } },
};
