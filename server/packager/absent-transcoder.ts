/** Stands in for a transcoder where nothing will be encoded any more. */
import { samples } from '../../shared/time.ts';
import type { Transcoder } from '../transcoder/transcoder.ts';

const COUNTERS = {
  restarts: 0,
  stalls: 0,
  corruptFrames: 0,
  lostFrames: 0,
  silentUnits: 0,
  strayUnits: 0,
};

/** Takes everything and makes nothing; `aac` says whether there is AAC from earlier. */
export const absentTranscoder = (aac: boolean): Transcoder => ({
  counters: COUNTERS,
  behind: samples(0),
  aac,
  available: () => Promise.resolve(aac),
  push: () => {},
  end: () => {},
  setLowRate: () => {},
  resetLoudness: () => {},
  close: () => Promise.resolve(),
});
