/** Tells for each frame of the measuring signal whether it is in a recording, and where. */
import { type Millis, millis } from '../../shared/time.ts';
import { type Burst, energyBefore, parabolaTop } from './burst-detector.ts';
import {
  burstWave,
  FRAME,
  FRAMES_PER_BURST,
  FRAMES_PER_SECOND,
  IDENTITIES,
  toneFrequency,
} from './measuring-signal.ts';

/**
 * What became of a frame. `missing`: lost, made up by concealment, or cut out; `doubled`: it
 * sounds half a frame too long or more, as concealment does to the frame before the hole.
 */
export type Verdict = 'present' | 'missing' | 'doubled';

/** One frame of the signal as found in a recording. */
export type FrameSighting = {
  /** Second of the signal, counted on from the identity of the first burst. */
  readonly second: number;
  /** Frame in the second; 0 to 4 are the burst. */
  readonly slot: number;
  /** Beginning of the frame, ms from the recording's first sample; for a missing one, a guess. */
  readonly time: Millis;
  /** How much of the frame is there, 1 being all of it. */
  readonly level: number;
  readonly verdict: Verdict;
};

/** A burst with its second counted on across the 16-second cycle. */
type Anchor = { readonly second: number; readonly time: number };
type Sighting = { time: number; level: number; length: number };

/** How far from its place a frame is looked for; its tone returns only a second later. */
const SEARCH: Millis = millis(40);
const LEAST_TONE = 0.6;
const LEAST_LIKENESS = 0.5;
const DOUBLED = 1.5;

/** Numbers the seconds: the step to the next burst is the one nearest to the time between them. */
const anchorsOf = (bursts: readonly Burst[]): Anchor[] => {
  const anchors: Anchor[] = [];
  for (const { identity, time } of bursts) {
    const last = anchors.at(-1);
    if (last === undefined) {
      anchors.push({ second: identity, time });
      continue;
    }
    const elapsed = (time - last.time) / 1000;
    const remainder = (identity - last.second) % IDENTITIES;
    const step = remainder + IDENTITIES * Math.round((elapsed - remainder) / IDENTITIES);
    // A step back is sound played again; its frames have been judged already.
    if (step > 0) anchors.push({ second: last.second + step, time });
  }
  return anchors;
};

/** Where a frame may begin, ms: by the burst before, the burst after, and between the two. */
const placesOf = (before: Anchor, after: Anchor, position: number): number[] => {
  const early = before.time + (position - before.second) * 1000;
  const late = after.time - (after.second - position) * 1000;
  const share = (position - before.second) / (after.second - before.second);
  const between = before.time + share * (after.time - before.time);
  return Math.abs(early - late) < SEARCH ? [between] : [early, between, late];
};

/** Looks for a tone: strength of a frame-long window at each place, the strongest place wins. */
const sightTone = (pcm: Float32Array, rate: number, hertz: number, place: number): Sighting => {
  const frame = Math.round((rate * FRAME) / 1000);
  const reach = Math.round((rate * SEARCH) / 1000);
  const start = Math.round((place * rate) / 1000) - reach;
  const strengths = new Float64Array(2 * reach + 1);
  const turned = { re: new Float64Array(frame), im: new Float64Array(frame) };
  const step = (2 * Math.PI * hertz) / rate;
  const [cosine, sine] = [Math.cos(step), Math.sin(step)];
  let [real, imaginary, sumRe, sumIm] = [1, 0, 0, 0];
  for (let offset = 0; offset < strengths.length + frame; offset += 1) {
    const oldest = offset % frame;
    if (offset >= frame)
      strengths[offset - frame] = Math.sqrt(sumRe * sumRe + sumIm * sumIm) / frame;
    const sample = pcm[start + offset] ?? 0;
    sumRe += sample * real - turned.re[oldest]!;
    sumIm += sample * imaginary - turned.im[oldest]!;
    turned.re[oldest] = sample * real;
    turned.im[oldest] = sample * imaginary;
    const next = real * cosine - imaginary * sine;
    imaginary = real * sine + imaginary * cosine;
    real = next;
  }
  let top = 0;
  for (let index = 1; index < strengths.length; index += 1)
    if (strengths[index]! > strengths[top]!) top = index;
  // The strength over the place is a triangle; its width at half height is the tone's length, and
  // the middle between its flanks is sharper than its blunt top.
  const half = strengths[top]! / 2;
  let [left, right] = [top, top];
  while (left > 0 && strengths[left]! > half) left -= 1;
  while (right < strengths.length - 1 && strengths[right]! > half) right += 1;
  return {
    time: ((start + (left + right) / 2) / rate) * 1000,
    level: strengths[top]!,
    length: (right - left) / frame,
  };
};

/** Looks for one frame of a burst by its wave form; `level` is the likeness. */
const sightNoise = (
  pcm: Float32Array,
  rate: number,
  energy: Float64Array,
  wave: Float32Array,
  place: number,
): Sighting => {
  const reach = Math.round((rate * SEARCH) / 2000);
  const centre = Math.round((place * rate) / 1000);
  const from = Math.max(0, centre - reach);
  const to = Math.min(pcm.length - wave.length, centre + reach);
  const norm = Math.sqrt(wave.reduce((sum, sample) => sum + sample * sample, 0));
  const likenesses = new Float64Array(Math.max(0, to - from + 1));
  let top = 0;
  for (let index = from; index <= to; index += 1) {
    let sum = 0;
    for (let offset = 0; offset < wave.length; offset += 1)
      sum += pcm[index + offset]! * wave[offset]!;
    const loudness = Math.sqrt(energy[index + wave.length]! - energy[index]!);
    likenesses[index - from] = loudness < 1e-3 ? 0 : sum / (norm * loudness);
    if (likenesses[index - from]! > likenesses[top]!) top = index - from;
  }
  const level = likenesses[top] ?? 0;
  const finer = parabolaTop(likenesses[top - 1] ?? 0, level, likenesses[top + 1] ?? 0);
  return { time: ((from + top + finer) / rate) * 1000, level, length: 1 };
};

const strongest = (sightings: readonly Sighting[]): Sighting =>
  sightings.reduce((best, other) => (other.level > best.level ? other : best));

const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/**
 * Judges every frame between the first and the last burst of `findBursts`, in the order of the
 * signal; fewer than two bursts give nothing to judge.
 */
export const checkFrames = (
  pcm: Float32Array,
  rate: number,
  bursts: readonly Burst[],
): FrameSighting[] => {
  const anchors = anchorsOf(bursts);
  const energy = energyBefore(pcm);
  const waves = Array.from({ length: IDENTITIES }, (_, identity) => burstWave(identity, rate));
  const frame = (rate * FRAME) / 1000;
  const raw: (Sighting & { second: number; slot: number })[] = [];
  for (const [index, before] of anchors.slice(0, -1).entries()) {
    const after = anchors[index + 1]!;
    for (let number = 0; number < (after.second - before.second) * FRAMES_PER_SECOND; number += 1) {
      const second = before.second + Math.floor(number / FRAMES_PER_SECOND);
      const slot = number % FRAMES_PER_SECOND;
      const places = placesOf(before, after, second + slot / FRAMES_PER_SECOND);
      const start = Math.round(slot * frame);
      const noise = waves[second % IDENTITIES]!.subarray(start, start + Math.round(frame));
      const sightings = places.map((place) =>
        slot < FRAMES_PER_BURST
          ? sightNoise(pcm, rate, energy, noise, place)
          : sightTone(pcm, rate, toneFrequency(slot), place),
      );
      raw.push({ second, slot, ...strongest(sightings) });
    }
  }
  // How loud a tone arrives is up to the path; most of them arrive whole.
  const whole = medianOf(raw.filter((one) => one.slot >= FRAMES_PER_BURST).map((one) => one.level));
  return raw.map(({ second, slot, time, level, length }) => {
    const isTone = slot >= FRAMES_PER_BURST;
    const share = isTone ? level / (whole || 1) : level;
    const enough = share >= (isTone ? LEAST_TONE : LEAST_LIKENESS);
    const verdict: Verdict = !enough ? 'missing' : length >= DOUBLED ? 'doubled' : 'present';
    return { second, slot, time: millis(time), level: share, verdict };
  });
};
