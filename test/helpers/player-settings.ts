/** How players are told to stay close to live and to get over a restart; the rest is theirs. */
import type { PlayerName } from './player-page.ts';

/** A server that restarts refuses connections for a second or two: they try for a minute. */
const HLS_RETRY = { maxNumRetry: 240, retryDelayMs: 250, maxRetryDelayMs: 250 };
const SHAKA_RETRY = { maxAttempts: 240, baseDelay: 250, backoffFactor: 1 };

/** Settings for low latency without a change of speed, which is audible on music. */
export const LOW_LATENCY: Record<PlayerName, object> = {
  'hls.js': {
    lowLatencyMode: true,
    liveSyncDuration: 1.6,
    // Time lost at the start stays for ever at speed 1; beyond this it leaves out some sound once.
    liveMaxLatencyDuration: 2.1,
    // Else it aims further back after a stall than it lets itself be, and leaves out sound for ever.
    liveSyncOnStallIncrease: 0,
    maxLiveSyncPlaybackRate: 1,
    // The page adds that a refused connection is worth another try.
    ...Object.fromEntries(
      ['playlistLoadPolicy', 'fragLoadPolicy'].map((policy) => [
        policy,
        {
          default: {
            ...{ maxTimeToFirstByteMs: 10_000, maxLoadTimeMs: 20_000 },
            ...{ timeoutRetry: HLS_RETRY, errorRetry: HLS_RETRY },
          },
        },
      ]),
    ),
  },
  // What the manifest says of low latency is its default.
  shaka: {
    manifest: { retryParameters: SHAKA_RETRY },
    // Where it gives a rendition up for a while, there is soon none left. Segments keep their two
    // tries: a part that was hinted at before the restart never comes, and it has to look for another.
    streaming: { maxDisabledTime: 0 },
  },
  'dash.js': {
    streaming: {
      // Segments keep theirs: a number after the end has none, and it would ask for it for a minute.
      // In low latency it tries five times as often, ten times as fast.
      retryAttempts: { MPD: 48 },
      retryIntervals: { MPD: 2500 },
    },
  },
};
