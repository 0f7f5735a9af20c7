import { describe, expect, it } from 'vitest';
import { decodeWav, encodeWav } from './wav.ts';

describe('a WAV file', () => {
  it('begins with the header of 16-bit PCM', () => {
    const bytes = encodeWav({ rate: 48_000, channels: [Float32Array.of(0, 0.5, -1)] });
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '524946462a000000' + // RIFF, 42 bytes follow
        '57415645666d742010000000' + // WAVEfmt, 16 bytes
        '0100010080bb000000770100' + // PCM, mono, 48000 Hz, 96000 bytes a second
        '02001000' + // 2 bytes a frame, 16 bits
        '6461746106000000' + // data, 6 bytes
        '000000400080',
    );
  });

  it('reads back what was written, to the bit, and clips what is beyond full scale', () => {
    const left = Float32Array.from({ length: 100 }, (_, index) => (index - 50) / 64);
    const right = left.map((sample) => 0.25 - sample / 2);
    const read = decodeWav(encodeWav({ rate: 44_100, channels: [left, right] }));
    expect(read.rate).toBe(44_100);
    expect(read.channels).toEqual([left, right]);
    const loud = encodeWav({ rate: 8000, channels: [Float32Array.of(2, -2)] });
    expect(decodeWav(loud).channels[0]).toEqual(Float32Array.of(32_767 / 32_768, -1));
  });

  it('skips parts it does not know and bears a size that is too large', () => {
    const bytes = Buffer.from(encodeWav({ rate: 8000, channels: [Float32Array.of(0.25)] }));
    const note = Buffer.from('4c495354030000006162630000', 'hex').subarray(0, 12);
    const odd = Buffer.concat([bytes.subarray(0, 36), note, bytes.subarray(36)]);
    odd.writeUInt32LE(0xffff_ffff, 52);
    expect(decodeWav(odd).channels).toEqual([Float32Array.of(0.25)]);
  });

  it('refuses what is no 16-bit PCM', () => {
    expect(() => decodeWav(Buffer.from('not a wave file'))).toThrow('no WAV');
    const bytes = encodeWav({ rate: 8000, channels: [Float32Array.of(0.25)] });
    bytes[34] = 24;
    expect(() => decodeWav(bytes)).toThrow('24 bits');
  });
});
