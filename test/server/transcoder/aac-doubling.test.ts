import { describe, expect, it } from 'vitest';
import { ESCAPES, SCALE_FACTORS, SPECTRAL } from '../../../server/transcoder/aac-codebooks.ts';
import { doubled } from '../../../server/transcoder/aac-doubling.ts';
import { loadAac } from '../../../server/transcoder/aac-encoder.ts';
import { synthesize } from '../../fixtures/synth.ts';
import { measuringSignal } from '../../helpers/measuring-signal.ts';
import { encodeMono } from '../../helpers/mono-aac.ts';
import { seededRandom } from '../../helpers/seeded-random.ts';
import { decodeUnits } from './sound.ts';

const SECONDS = 12;
const SAMPLES = SECONDS * 48_000;

/** From full scale to nothing: noise, clicks, tones near and far, voice, music, and silence. */
const SOUNDS: Readonly<Record<string, () => Int16Array>> = {
  'bursts, sweeps and clicks': () =>
    Int16Array.from(measuringSignal(SECONDS), (one) => Math.round(32_767 * one)),
  'voice, music and noise': () => synthesize(SAMPLES, { channels: 1, seed: 3 }),
  'noise at full scale': () => {
    const random = seededRandom(7);
    return Int16Array.from({ length: SAMPLES }, () => 65_535 * random() - 32_768);
  },
  'a click in silence': () => {
    const pcm = new Int16Array(SAMPLES);
    for (let at = 5000; at < SAMPLES; at += 24_000) pcm[at] = 32_767;
    return pcm;
  },
};

/** The window's sequence: 2 bits after the element, its tag, the gain and a bit. */
const isShort = (unit: Uint8Array): boolean => (unit[2] as number) >> 6 === 2;

/** Samples that differ in either channel from what they were in the one. */
const differing = (pairs: Buffer, mono: Buffer): number => {
  expect(pairs.length).toBe(2 * mono.length);
  let count = 0;
  for (let at = 0; at < mono.length; at += 4)
    for (const side of [0, 4])
      if (pairs.readFloatLE(2 * at + side) !== mono.readFloatLE(at)) count += 1;
  return count;
};

describe('a unit of one channel, doubled', () => {
  it.each(
    Object.keys(SOUNDS).flatMap((sound) =>
      [51_500, 123_500, 251_500].map((bitrate) => ({ sound, bitrate })),
    ),
  )('sounds in both as in the one, to the bit: $sound at $bitrate bit/s', ({ sound, bitrate }) => {
    const pcm = (SOUNDS[sound] as () => Int16Array)();
    const units = encodeMono(pcm, { bitrate, afterburner: bitrate < 100_000 });
    expect(units.length).toBeGreaterThan(SAMPLES / 1024 - 4);
    const pairs = units.map(doubled);
    expect(differing(decodeUnits(pairs, 2), decodeUnits(units, 1))).toBe(0);
    if (sound.includes('click')) expect(units.some(isShort)).toBe(true);
  });

  it('is refused when it is anything else, and never half made', () => {
    const units = encodeMono(synthesize(48_000, { channels: 1, seed: 5 }), { bitrate: 64_000 });
    const [unit] = units.slice(20) as [Uint8Array];
    const before = units.map(doubled);
    for (let length = 0; length < unit.length - 1; length += 1)
      expect(() => doubled(unit.subarray(0, length))).toThrow(RangeError);
    expect(() => doubled(doubled(unit))).toThrow('not of one channel');
    expect(() => doubled(new Uint8Array(2000))).toThrow(RangeError);
    const random = seededRandom(11);
    for (let round = 0; round < 20_000; round += 1) {
      const damaged = unit.slice();
      for (let flips = 0; flips < 3; flips += 1)
        damaged[Math.floor(random() * damaged.length)]! ^= 1 << Math.floor(8 * random());
      try {
        expect(doubled(damaged).length).toBeLessThan(damaged.length + 128);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
    // Nothing is left of what was refused.
    expect(units.map(doubled)).toEqual(before);
  });

  it('is of the bitrate that was promised', async () => {
    const codec = await loadAac(['libfdk_aac']);
    const clicks = Int16Array.from({ length: SAMPLES }, (_, at) => (at % 700 === 0 ? 30_000 : 0));
    const sounds = [clicks, ...Object.values(SOUNDS).map((make) => make())];
    for (const bitrate of [56_000, 64_000, 128_000])
      for (const sound of sounds) {
        const encoder = codec?.create({ bitrate, channels: 1 });
        let bytes = 0;
        for (let at = 0; at < SAMPLES; at += 1024) {
          const block = Int16Array.from({ length: 2048 }, (_, index) => sound[at + (index >> 1)]!);
          for (const unit of encoder?.encode(block) ?? []) bytes += unit.length;
        }
        encoder?.close();
        expect((8 * bytes) / SECONDS).toBeGreaterThan(0.9 * bitrate);
        expect((8 * bytes) / SECONDS).toBeLessThan(1.005 * bitrate);
      }
  });
});

describe('a codebook', () => {
  it('ends every codeword after 1 to 20 bits, and only the last has escapes', () => {
    const books = [SCALE_FACTORS, ...SPECTRAL];
    const lengths = books.flatMap(({ table }) => [...table].map((entry) => entry % (1 << ESCAPES)));
    expect(lengths.every((bits) => bits >= 1 && bits <= 20)).toBe(true);
    expect(books.findIndex(({ table }) => table.some((entry) => entry >> ESCAPES > 0))).toBe(11);
  });
});
