/** What an Opus packet says about itself in its first two bytes (RFC 6716 section 3). */
import { type Samples, samples } from './time.ts';

/** Coding modes of an Opus packet; only the first two carry in-band FEC. */
export type OpusMode = 'silk' | 'hybrid' | 'celt';

/** The longest Opus packet the protocol carries, in bytes. */
export const MAX_PACKET_BYTES = 1500;

/** The longest duration of an Opus packet: 120 ms (RFC 6716 section 3.2.5, R5). */
export const MAX_PACKET_DURATION = samples(5760);

const SILK_DURATIONS = [480, 960, 1920, 2880] as const;
const HYBRID_DURATIONS = [480, 960] as const;
const CELT_DURATIONS = [120, 240, 480, 960] as const;

/** Coding mode of a packet, from its table-of-contents byte. */
export const opusMode = (toc: number): OpusMode => {
  const config = toc >> 3;
  return config < 12 ? 'silk' : config < 16 ? 'hybrid' : 'celt';
};

/** Channels of a packet, 1 or 2, from its table-of-contents byte. */
export const opusChannels = (toc: number): 1 | 2 => ((toc & 4) === 0 ? 1 : 2);

const frameDuration = (toc: number): number => {
  const config = toc >> 3;
  if (config < 12) return SILK_DURATIONS[(config & 3) as 0 | 1 | 2 | 3];
  if (config < 16) return HYBRID_DURATIONS[(config & 1) as 0 | 1];
  return CELT_DURATIONS[(config & 3) as 0 | 1 | 2 | 3];
};

/**
 * Duration of an Opus packet in samples at 48 kHz, read from its table-of-contents byte and, for
 * code 3, its frame count byte. Returns 0 for a packet no decoder would accept on that account:
 * empty, truncated before the count, without frames, or longer than 120 ms.
 */
export const opusDuration = (packet: Uint8Array): Samples => {
  const toc = packet[0];
  if (toc === undefined) return samples(0);
  const code = toc & 3;
  const frames = code === 0 ? 1 : code === 3 ? (packet[1] ?? 0) & 63 : 2;
  const duration = frames * frameDuration(toc);
  return samples(duration > MAX_PACKET_DURATION ? 0 : duration);
};
