import { describe, expect, it } from 'vitest';
import { Resampler } from '../../worklets/resampler.ts';

const BLOCK = 128;

/** Resamples `seconds` of a tone; returns the output and the place in the input of each sample. */
const resample = (
  { from, to, seconds = 1 }: { from: number; to: number; seconds?: number },
  signal: (k: number) => number,
  step: (k: number) => number = () => from / to,
): { output: Float32Array; places: Float64Array } => {
  const resampler = new Resampler({ channels: 1, capacity: 8192, step: from / to });
  const length = Math.floor(seconds * to);
  const output = [new Float32Array(length)];
  const places = new Float64Array(length);
  let written = 0;
  for (let at = 0; at < length; at += BLOCK) {
    const count = Math.min(BLOCK, length - at);
    resampler.step = step(at);
    const needed = resampler.needed(count);
    const input = Float32Array.from({ length: needed }, (_, k) => signal(written + k));
    expect(resampler.write([input], 0, needed)).toBe(needed);
    written += needed;
    expect(resampler.available()).toBeGreaterThanOrEqual(count);
    for (let k = 0; k < count; k += 1) places[at + k] = resampler.position + k * resampler.step;
    expect(resampler.read(output, at, count)).toBe(count);
  }
  return { output: output[0]!, places };
};

/** Level of what is not the tone itself, dB below it: a least-squares fit taken away. */
const distortion = (output: Float32Array, frequency: number, rate: number): number => {
  const start = 1000;
  let [ss, cc, sc, ys, yc] = [0, 0, 0, 0, 0];
  for (let k = start; k < output.length; k += 1) {
    const s = Math.sin((2 * Math.PI * frequency * k) / rate);
    const c = Math.cos((2 * Math.PI * frequency * k) / rate);
    ss += s * s;
    cc += c * c;
    sc += s * c;
    ys += s * output[k]!;
    yc += c * output[k]!;
  }
  const determinant = ss * cc - sc * sc;
  const a = (ys * cc - yc * sc) / determinant;
  const b = (yc * ss - ys * sc) / determinant;
  let rest = 0;
  let power = 0;
  for (let k = start; k < output.length; k += 1) {
    const tone =
      a * Math.sin((2 * Math.PI * frequency * k) / rate) +
      b * Math.cos((2 * Math.PI * frequency * k) / rate);
    power += tone * tone;
    rest += (output[k]! - tone) ** 2;
  }
  return 10 * Math.log10(power / rest);
};

const tone =
  (frequency: number, rate: number) =>
  (k: number): number =>
    0.5 * Math.sin((2 * Math.PI * frequency * k) / rate);

const rms = (signal: Float32Array): number =>
  Math.sqrt(signal.subarray(1000).reduce((sum, x) => sum + x * x, 0) / (signal.length - 1000));

/** Rates from and to, and the highest frequency that has to come through untouched. */
const PAIRS = [
  [48_000, 48_000, 18_000],
  [48_000, 44_100, 18_000],
  [48_000, 96_000, 18_000],
  [48_000, 192_000, 18_000],
  [48_000, 16_000, 6000],
  [48_000, 8000, 3000],
  [44_100, 48_000, 17_500],
  [96_000, 48_000, 18_000],
  [192_000, 48_000, 18_000],
  [16_000, 48_000, 6000],
  [8000, 48_000, 3000],
] as const;

describe('resampler', () => {
  for (const [from, to, highest] of PAIRS)
    it(`keeps tones 80 dB clear of images and aliases from ${from} to ${to} Hz`, () => {
      for (const share of [0.01, 0.1, 0.35, 0.6, 0.8, 1]) {
        const frequency = Math.round(share * highest) + 0.37;
        // A step that never meets the same phase twice shows what interpolated taps do.
        const step = (from / to) * 1.000_137;
        const { output } = resample({ from, to }, tone(frequency, from), () => step);
        const heard = frequency * 1.000_137;
        expect(distortion(output, heard, to), `${frequency} Hz`).toBeGreaterThan(80);
        expect(rms(output) / (0.5 * Math.SQRT1_2)).toBeGreaterThan(0.985);
        expect(rms(output) / (0.5 * Math.SQRT1_2)).toBeLessThan(1.015);
      }
    });

  for (const [from, to, first] of [
    [48_000, 16_000, 8000],
    [48_000, 8000, 4000],
    [96_000, 48_000, 24_000],
    [192_000, 48_000, 24_000],
    [96_000, 44_100, 22_050],
  ] as const)
    it(`lets nothing above ${first} Hz fold down from ${from} to ${to} Hz`, () => {
      for (let frequency = first + 50; frequency < from / 2; frequency += (from / 2 - first) / 9) {
        const { output } = resample({ from, to }, tone(frequency, from));
        expect(20 * Math.log10(rms(output) / (0.5 * Math.SQRT1_2)), `${frequency}`).toBeLessThan(
          -80,
        );
      }
    });

  it('knows to a thousandth of a sample where each output sample lies in the input', () => {
    for (const [from, to] of PAIRS) {
      const signal = tone(from / 100, from);
      const { output, places } = resample({ from, to, seconds: 0.2 }, signal);
      for (let k = 300; k < output.length; k += 1)
        expect(Math.abs(output[k]! - signal(places[k]!))).toBeLessThan(1e-4);
    }
  });

  it('changes its rate without a step in the signal', () => {
    const signal = tone(1000, 48_000);
    const { output, places } = resample({ from: 48_000, to: 48_000 }, signal, (at) =>
      Math.floor(at / 1024) % 2 === 0 ? 1.001 : 0.999,
    );
    for (let k = 100; k < output.length; k += 1)
      expect(Math.abs(output[k]! - signal(places[k]!))).toBeLessThan(1e-4);
  });

  it('takes no more than it has room for, and says when it has enough', () => {
    const resampler = new Resampler({ channels: 2, capacity: 256 });
    const silence = [new Float32Array(10_000), new Float32Array(10_000)];
    expect(resampler.available()).toBe(0);
    expect(resampler.needed(1)).toBe(resampler.latency + 1);
    const taken = resampler.write(silence, 0, 10_000);
    expect(taken).toBeGreaterThanOrEqual(256);
    expect(taken).toBeLessThan(10_000);
    expect(resampler.available()).toBe(taken - resampler.latency);
    expect(resampler.needed(resampler.available())).toBe(0);
    expect(resampler.needed(resampler.available() + 1)).toBe(1);
  });
});
