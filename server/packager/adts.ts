/** ADTS, the framing AAC wears outside MP4 (ISO/IEC 14496-3 section 1.A.3.2). */

/** Length of the header, without a checksum, bytes. */
export const ADTS_HEADER_BYTES = 7;

/** The longest AAC unit whose length ADTS can tell: 13 bits, header included. */
export const MAX_ADTS_UNIT_BYTES = 0x1fff - ADTS_HEADER_BYTES;

const PROFILE_LC = 1;
const INDEX_48_KHZ = 3;

/**
 * Writes the header of one AAC-LC unit of 48 kHz at `offset` and returns the offset after it. The
 * caller vouches for `unitBytes` of at most `MAX_ADTS_UNIT_BYTES`; an AAC-LC unit has at most 1536.
 */
export const writeAdtsHeader = (
  target: Buffer,
  offset: number,
  { unitBytes, channels }: { readonly unitBytes: number; readonly channels: 1 | 2 },
): number => {
  const length = unitBytes + ADTS_HEADER_BYTES;
  target[offset] = 0xff;
  target[offset + 1] = 0xf1; // MPEG-4, no checksum
  target[offset + 2] = (PROFILE_LC << 6) | (INDEX_48_KHZ << 2);
  target[offset + 3] = (channels << 6) | (length >> 11);
  target[offset + 4] = (length >> 3) & 0xff;
  target[offset + 5] = ((length & 7) << 5) | 0x1f; // buffer fullness 0x7ff: not told
  target[offset + 6] = 0xfc;
  return offset + ADTS_HEADER_BYTES;
};
