/** Silence as Opus packets, for what was never said or came too late. */
import { type Samples, samples } from '../../shared/time.ts';
import type { AccessUnit } from './track.ts';

/** Table-of-contents bytes of CELT, full band, stereo, by duration (RFC 6716 section 3.1). */
const TOCS: readonly (readonly [duration: number, toc: number])[] = [
  [960, 0xfc],
  [480, 0xf4],
  [240, 0xec],
  [120, 0xe4],
];

/** A stretch of silence, a multiple of 120 samples, in packets as long as fit. */
export const silentPackets = (at: Samples, duration: Samples): AccessUnit[] => {
  const units: AccessUnit[] = [];
  let next: number = at;
  const end = at + duration;
  for (const [length, toc] of TOCS)
    for (; next + length <= end; next += length)
      units.push({
        at: samples(next),
        duration: samples(length),
        bytes: Uint8Array.of(toc, 0xff, 0xfe),
      });
  return units;
};
