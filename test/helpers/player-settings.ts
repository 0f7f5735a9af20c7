/** How players are told to stay close to live; everything else is theirs. */
import type { PlayerName } from './player-page.ts';

/** Settings for low latency without a change of speed, which is audible on music. */
export const LOW_LATENCY: Record<PlayerName, object> = {
  'hls.js': {
    lowLatencyMode: true,
    liveSyncDuration: 1.6,
    // Time lost at the start stays for ever at speed 1; beyond this it leaves out some sound once.
    liveMaxLatencyDuration: 2.1,
    maxLiveSyncPlaybackRate: 1,
  },
  // What the manifest says of low latency is their default.
  shaka: {},
  'dash.js': {},
};
