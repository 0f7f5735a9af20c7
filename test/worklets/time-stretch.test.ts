import { describe, expect, it } from 'vitest';
import { Content } from '../../worklets/playout-content.ts';
import { Timeline } from '../../worklets/playout-timeline.ts';
import { TimeStretch } from '../../worklets/time-stretch.ts';
import { FADE } from '../../worklets/time-stretch-search.ts';
import { synthesize } from '../fixtures/synth.ts';
import { createFft } from '../helpers/fft.ts';

type Stretched = {
  readonly left: Float32Array;
  readonly right: Float32Array;
  /** Place in the source of an output sample. */
  readonly map: (at: number) => number;
  readonly consumed: number;
  readonly jumps: readonly { readonly at: number; readonly jump: number }[];
};

/** Plays interleaved stereo of `source` at a pace, in quanta, fed frame by frame as it is needed. */
const play = (source: Int16Array, pace: (at: number) => number): Stretched => {
  const content = new Content();
  const stretch = new TimeStretch(content);
  const length = source.length / 2;
  const out = [new Float32Array(2 * length), new Float32Array(2 * length)] as const;
  const block = [new Float32Array(128), new Float32Array(128)] as const;
  const marks: { at: number; jump: number }[] = [];
  const places = new Float64Array(2 * length);
  const timeline = new Timeline();
  let written = 0;
  let fed = 0;
  let followed = 0;
  while (fed + 960 <= length) {
    stretch.pace = pace(written);
    while (content.ahead < Math.max(128, stretch.wanted) && fed + 960 <= length) {
      content.write(content.reserve(960), source, fed, 960);
      content.commit(960, fed, 1);
      fed += 960;
    }
    const count = stretch.read(block[0], block[1], 128);
    const start = content.index - count;
    if (stretch.jumped !== 0) {
      marks.push({ at: written, jump: stretch.jumped });
      timeline.mark(written, start - stretch.jumped, 1 + stretch.jumped / FADE);
      timeline.mark(written + FADE, start + FADE);
    } else if (start !== followed) throw new Error('The head moved without a splice.');
    followed = start + count;
    for (let k = 0; k < count; k += 1) places[written + k] = timeline.at(written + k);
    out[0].set(block[0].subarray(0, count), written);
    out[1].set(block[1].subarray(0, count), written);
    written += count;
  }
  return {
    left: out[0].subarray(0, written),
    right: out[1].subarray(0, written),
    map: (at) => places[at] ?? Number.NaN,
    consumed: content.index,
    jumps: marks,
  };
};

const channel = (source: Int16Array, offset: 0 | 1): Float32Array =>
  Float32Array.from({ length: source.length / 2 }, (_, k) => source[2 * k + offset]! / 32_768);

const stereo = (length: number, tone: (seconds: number) => number): Int16Array => {
  const pcm = new Int16Array(2 * length);
  for (let k = 0; k < length; k += 1) pcm[2 * k] = pcm[2 * k + 1] = 32_767 * tone(k / 48_000);
  return pcm;
};

const partials = (pitch: number, seconds: number): number =>
  [1, 2, 3, 4, 5].reduce((sum, n) => sum + Math.sin(2 * Math.PI * n * pitch * seconds) / n, 0);

/** A triad that changes every second, sustained, slightly out of tune. */
const chords = (length: number): Int16Array => {
  const roots = [220, 174.61, 261.63, 196];
  return stereo(length, (seconds) => {
    const root = roots[Math.floor(seconds) % roots.length]!;
    return (
      0.08 * [1, 1.2603, 1.4966].reduce((sum, ratio) => sum + partials(root * ratio, seconds), 0)
    );
  });
};

const SIZE = 2048;
const { forward } = createFft(SIZE);

const spectrum = (signal: Float32Array, center: number): Float64Array => {
  const re = new Float64Array(SIZE);
  const im = new Float64Array(SIZE);
  for (let k = 0; k < SIZE; k += 1)
    re[k] =
      (signal[Math.round(center) - SIZE / 2 + k] ?? 0) *
      (0.5 - 0.5 * Math.cos((2 * Math.PI * (k + 0.5)) / SIZE));
  forward(re, im);
  return Float64Array.from({ length: SIZE / 2 }, (_, bin) => Math.hypot(re[bin]!, im[bin]!));
};

/** Distance of the magnitudes from the source's at the same place, as a share of the source's. */
const spectralConvergence = (source: Float32Array, { left, map }: Stretched): number => {
  let difference = 0;
  let power = 0;
  for (let center = SIZE; center < left.length - SIZE; center += SIZE / 2) {
    const heard = spectrum(left, center);
    const meant = spectrum(source, map(center));
    for (let bin = 0; bin < heard.length; bin += 1) {
      difference += (heard[bin]! - meant[bin]!) ** 2;
      power += meant[bin]! ** 2;
    }
  }
  return Math.sqrt(difference / power);
};

const largestStep = (signal: Float32Array): number => {
  let largest = 0;
  for (let k = 1; k < signal.length; k += 1)
    largest = Math.max(largest, Math.abs(signal[k]! - signal[k - 1]!));
  return largest;
};

const SECONDS = 48_000;
const PACES = [0.05, 0.02, -0.02, -0.05];
/** Who catches up with live: one and a quarter of the media's own time. */
const CATCH_UP = 0.25;
const programme = {
  music: synthesize(12 * SECONDS, { channels: 2, seed: 11, turns: ['music'] }),
  voice: synthesize(12 * SECONDS, { channels: 2, seed: 12, turns: ['voice'] }),
  chords: chords(12 * SECONDS),
};

describe('time-stretch', () => {
  it('lets every sample pass untouched while there is nothing to do', () => {
    const { left, jumps } = play(programme.music, () => 0);
    expect(jumps).toHaveLength(0);
    expect(left).toEqual(channel(programme.music, 0).subarray(0, left.length));
  });

  it('reaches the pace asked for within 0.1 %', () => {
    const source = synthesize(120 * SECONDS, { channels: 2, seed: 13, turns: ['music', 'voice'] });
    for (const pace of PACES) {
      const { left, consumed } = play(source, () => pace);
      const reached = consumed / left.length - 1;
      expect(Math.abs(reached - pace), `pace ${pace} became ${reached}`).toBeLessThan(0.001);
    }
  });

  for (const [name, limit] of [
    ['music', 0.06],
    ['voice', 0.12],
    ['chords', 0.12],
  ] as const)
    it(`keeps the spectrum of ${name} within ${limit}, and makes no step that was not there`, () => {
      const source = channel(programme[name], 0);
      for (const pace of PACES) {
        const stretched = play(programme[name], () => pace);
        expect(stretched.jumps.length).toBeGreaterThan(12);
        const convergence = spectralConvergence(source, stretched);
        expect(convergence, `pace ${pace}`).toBeLessThanOrEqual(limit);
        expect(largestStep(stretched.left)).toBeLessThanOrEqual(1.05 * largestStep(source));
      }
    });

  it('catches up at 25 and 50 % within 0.2 %, also on noise, in which no two places are alike', () => {
    for (const turns of [['music', 'voice'], ['noise']] as const) {
      const source = synthesize(40 * SECONDS, { channels: 2, seed: 13, turns: [...turns] });
      for (const pace of [CATCH_UP, 0.5]) {
        const { left, consumed } = play(source, () => pace);
        const reached = (consumed / left.length - 1) / pace - 1;
        expect(Math.abs(reached), `${turns} at ${pace}`).toBeLessThan(0.004);
      }
    }
  });

  // Five times as many splices as at 5 %: what they spoil adds up as power does.
  for (const [name, limit] of [
    ['music', 0.08],
    ['voice', 0.12],
    ['chords', 0.16],
  ] as const)
    it(`keeps the spectrum of ${name} within ${limit} at 25 %, without a step or an overlap`, () => {
      const source = channel(programme[name], 0);
      const stretched = play(programme[name], () => CATCH_UP);
      expect(spectralConvergence(source, stretched)).toBeLessThanOrEqual(limit);
      expect(largestStep(stretched.left)).toBeLessThanOrEqual(1.05 * largestStep(source));
      for (const [k, { at }] of stretched.jumps.entries())
        expect(at - (stretched.jumps[k - 1]?.at ?? -FADE)).toBeGreaterThanOrEqual(FADE);
    });

  it('keeps a tone within 0.1 Hz and 2 % of its amplitude', () => {
    for (const frequency of [100, 440, 997, 3000]) {
      const source = stereo(12 * SECONDS, (t) => 0.5 * Math.sin(2 * Math.PI * frequency * t));
      for (const pace of PACES) {
        const { left } = play(source, () => pace);
        let crossings = 0;
        let first = Number.NaN;
        let last = 0;
        for (let k = 1; k < left.length; k += 1) {
          if (!(left[k - 1]! < 0 && left[k]! >= 0)) continue;
          last = k - left[k]! / (left[k]! - left[k - 1]!);
          if (Number.isNaN(first)) first = last;
          else crossings += 1;
        }
        expect(Math.abs((crossings * 48_000) / (last - first) - frequency)).toBeLessThan(0.1);
        const period = Math.round(48_000 / frequency);
        for (let at = 0; at + period < left.length; at += period) {
          const peak = left
            .subarray(at, at + period + 1)
            .reduce((a, b) => Math.max(a, Math.abs(b)));
          expect(Math.abs(peak / 0.5 - 1)).toBeLessThan(0.02);
        }
      }
    }
  });

  it('moves both channels by the same jump', () => {
    const { left, right, map } = play(programme.music, () => 0.05);
    const source = [channel(programme.music, 0), channel(programme.music, 1)] as const;
    let compared = 0;
    for (let k = 0; k < left.length; k += 97) {
      const place = map(k);
      if (!Number.isInteger(place) || left[k] !== source[0][place]) continue;
      compared += 1;
      expect(right[k]).toBe(source[1][place]);
    }
    expect(compared).toBeGreaterThan(left.length / 97 / 2);
  });

  it('answers no splice by one back', () => {
    const { jumps } = play(programme.chords, (at) => (Math.floor(at / 9600) % 2 === 0 ? 0.03 : 0));
    expect(jumps.length).toBeGreaterThan(5);
    for (const { jump } of jumps) expect(jump).toBeGreaterThan(0);
  });

  it('jumps 5 to 20 ms at a time', () => {
    for (const pace of PACES)
      for (const { jump } of play(programme.voice, () => pace).jumps) {
        expect(Math.sign(jump)).toBe(Math.sign(pace));
        expect(Math.abs(jump)).toBeGreaterThanOrEqual(240);
        expect(Math.abs(jump)).toBeLessThanOrEqual(960);
      }
  });
});
