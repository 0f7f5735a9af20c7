import { describe, expect, it } from 'vitest';
import {
  ADTS_HEADER_BYTES,
  MAX_ADTS_UNIT_BYTES,
  writeAdtsHeader,
} from '../../../server/packager/adts.ts';
import { adtsByFfmpeg, adtsFrames, noise } from './fmp4-sound.ts';

const header = (unitBytes: number, channels: 1 | 2): string => {
  const target = Buffer.alloc(ADTS_HEADER_BYTES);
  expect(writeAdtsHeader(target, 0, { unitBytes, channels })).toBe(ADTS_HEADER_BYTES);
  return target.toString('hex');
};

describe('an ADTS header', () => {
  it('tells AAC-LC, 48 kHz, the channels and the length', () => {
    expect(header(1, 2)).toBe('fff14c80011ffc');
    expect(header(341, 2)).toBe('fff14c802b9ffc');
    expect(header(341, 1)).toBe('fff14c402b9ffc');
    expect(header(MAX_ADTS_UNIT_BYTES, 2)).toBe('fff14c83fffffc');
  });

  it('is to the bit what ffmpeg writes for the same units', () => {
    for (const channels of [1, 2] as const)
      for (const frame of adtsFrames(adtsByFfmpeg(noise(1), { channels })))
        expect(header(frame.length - ADTS_HEADER_BYTES, channels)).toBe(
          frame.toString('hex', 0, ADTS_HEADER_BYTES),
        );
  });
});
