import opus from '@discordjs/opus';
import { describe, expect, it } from 'vitest';
import { findBursts } from './burst-detector.ts';
import { checkFrames, type FrameSighting } from './frame-check.ts';
import { IDENTITIES, measuringSignal } from './measuring-signal.ts';
import { seededRandom } from './seeded-random.ts';

const SECONDS = 18;
const OPUS_LOOKAHEAD = 312;
/** 1 µs is a twentieth of a sample. */
const EXACT = 0.001;

/** Through Opus and back, mono; the frames named by `lost` never reach the decoder. */
const throughOpus = (
  pcm: Float32Array,
  { bitrate = 96_000, lost = [] }: { bitrate?: number; lost?: readonly number[] } = {},
): Float32Array => {
  const encoder = new opus.OpusEncoder(48_000, 1);
  encoder.setBitrate(bitrate);
  const decoder = new opus.OpusEncoder(48_000, 1);
  const out = new Float32Array(pcm.length);
  for (let frame = 0; frame < pcm.length / 960; frame += 1) {
    const levels = Int16Array.from(pcm.subarray(frame * 960, (frame + 1) * 960), (sample) =>
      Math.round(sample * 32_767),
    );
    const packet = encoder.encode(Buffer.from(levels.buffer));
    const decoded = decoder.decode(lost.includes(frame) ? Buffer.alloc(0) : packet);
    for (let index = 0; index < 960; index += 1)
      out[frame * 960 + index] = decoded.readInt16LE(index * 2) / 32_768;
  }
  return out;
};

const errorsOf = (pcm: Float32Array, rate: number, delay: number): number[] =>
  findBursts(pcm, rate).map(({ identity, time }, second) => {
    expect(identity).toBe(second % IDENTITIES);
    return Math.abs(time - second * 1000 - delay);
  });

const damage = (frames: readonly FrameSighting[]): string[] =>
  frames
    .filter((one) => one.verdict !== 'present')
    .map((one) => `${one.second}/${one.slot} ${one.verdict}`);

describe('the measuring signal', () => {
  it.each([48_000, 44_100, 16_000])('is found in itself to a microsecond at %i Hz', (rate) => {
    const pcm = measuringSignal(SECONDS, rate);
    const errors = errorsOf(pcm, rate, 0);
    expect(errors).toHaveLength(SECONDS);
    expect(Math.max(...errors)).toBeLessThan(EXACT);
    const frames = checkFrames(pcm, rate, findBursts(pcm, rate));
    expect(frames).toHaveLength((SECONDS - 1) * 50);
    expect(damage(frames)).toEqual([]);
  });

  it('is found through Opus at 96 kbit/s after exactly its lookahead of 312 samples', () => {
    const pcm = throughOpus(measuringSignal(SECONDS));
    const errors = errorsOf(pcm, 48_000, OPUS_LOOKAHEAD / 48);
    expect(errors).toHaveLength(SECONDS);
    expect(Math.max(...errors)).toBeLessThan(EXACT);
    const frames = checkFrames(pcm, 48_000, findBursts(pcm, 48_000));
    expect(damage(frames)).toEqual([]);
    for (const { second, slot, time } of frames)
      expect(Math.abs(time - OPUS_LOOKAHEAD / 48 - second * 1000 - slot * 20)).toBeLessThan(1);
  });

  it('tells where it is between two samples and at a tenth of the level, over noise', () => {
    // Written at three times the rate, a third of the samples is the signal a third later.
    const fine = measuringSignal(3, 144_000);
    const random = seededRandom(4);
    const pcm = Float32Array.from(
      { length: 48_000 * 2 },
      (_, index) => fine[index * 3 + 1]! / 10 + (random() - 0.5) / 1000,
    );
    const bursts = findBursts(pcm, 48_000);
    expect(bursts).toHaveLength(2);
    for (const { identity, time } of bursts)
      expect(Math.abs(time - identity * 1000 + 1 / 144)).toBeLessThan(EXACT);
  });

  it('shows the frames that Opus had to make up, and no others', () => {
    // One tone, two tones in a row, and one frame of a burst.
    const lost = [2 * 50 + 20, 4 * 50 + 30, 4 * 50 + 31, 6 * 50 + 2];
    const pcm = throughOpus(measuringSignal(9), { lost });
    const frames = checkFrames(pcm, 48_000, findBursts(pcm, 48_000));
    const missing = frames.filter((one) => one.verdict === 'missing');
    expect(missing.map((one) => one.second * 50 + one.slot)).toEqual(lost);
    // Concealment prolongs the tone before the hole; anything else would be a false alarm.
    for (const one of frames.filter((other) => other.verdict === 'doubled'))
      expect(lost).toContain(one.second * 50 + one.slot + 1);
  });

  it('shows a frame cut out and a frame played twice', () => {
    const pcm = measuringSignal(6);
    const at = (second: number, slot: number): number => (second * 50 + slot) * 960;
    const edited = new Float32Array(pcm.length);
    edited.set(pcm.subarray(0, at(1, 20)));
    edited.set(pcm.subarray(at(1, 21), at(3, 31)), at(1, 20));
    edited.set(pcm.subarray(at(3, 30)), at(3, 30));
    const frames = checkFrames(edited, 48_000, findBursts(edited, 48_000));
    expect(damage(frames)).toEqual(['1/20 missing', '3/30 doubled']);
    const timeOf = (second: number, slot: number): number =>
      frames.find((one) => one.second === second && one.slot === slot)!.time;
    expect(timeOf(1, 30) - (1000 + 30 * 20)).toBeCloseTo(-20, 0);
    expect(timeOf(3, 40) - (3000 + 40 * 20)).toBeCloseTo(0, 0);
  });

  it('follows the signal over an outage of seconds and over a delay that grew in it', () => {
    const pcm = measuringSignal(10);
    const grown = new Float32Array(pcm.length + 48_000 * 0.7);
    grown.set(pcm.subarray(0, 48_000 * 3.5));
    grown.set(pcm.subarray(48_000 * 5.5), 48_000 * 6.2);
    const frames = checkFrames(grown, 48_000, findBursts(grown, 48_000));
    const missing = frames.filter((one) => one.verdict === 'missing');
    expect(missing).toHaveLength(100);
    expect(missing[0]).toMatchObject({ second: 3, slot: 25 });
    expect(missing.at(-1)).toMatchObject({ second: 5, slot: 24 });
  });

  it('finds nothing in silence and in noise', () => {
    expect(findBursts(new Float32Array(96_000), 48_000)).toEqual([]);
    const random = seededRandom(5);
    const noise = Float32Array.from({ length: 480_000 }, () => random() - 0.5);
    expect(findBursts(noise, 48_000)).toEqual([]);
  });
});
