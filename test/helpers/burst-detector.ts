/** Finds the bursts of the measuring signal in recorded sound by correlation. */
import { type Millis, millis } from '../../shared/time.ts';
import { createFft, type Fft } from './fft.ts';
import { burstWave, IDENTITIES } from './measuring-signal.ts';

/** A burst that was found. */
export type Burst = {
  readonly identity: number;
  /** Beginning of the burst, ms from the first sample of the recording, finer than a sample. */
  readonly time: Millis;
  /** Correlation with the burst as it was made: 1 is the same wave form. */
  readonly likeness: number;
};

const BLOCK = 16_384;
/** Chance alone reaches about 0.15; a burst with half its frames lost still 0.6. */
const LEAST_LIKENESS = 0.35;
/** Bursts closer than this are one burst and its shadows. */
const SEPARATION_SECONDS = 0.3;

/** Energy, as a root, of a burst or frame that is none. */
const SILENCE = 1e-3;
/** The search needs no more than twice the 6 kHz where the bursts end. */
const LEAST_RATE = 14_000;

type Found = { readonly identity: number; readonly index: number; readonly likeness: number };
type Refined = { readonly position: number; readonly likeness: number };
type Spectrum = { readonly re: Float64Array; readonly im: Float64Array };

/** Conjugate spectra of two bursts at a time, the second as imaginary part of the first. */
const pairSpectra = (waves: readonly Float32Array[], fft: Fft): Spectrum[] => {
  const pairs: Spectrum[] = [];
  for (let first = 0; first < waves.length; first += 2) {
    const re = new Float64Array(BLOCK);
    const im = new Float64Array(BLOCK);
    // Time reversed, which is what the conjugate does to a real signal.
    for (const [offset, sample] of waves[first]!.entries()) re[(BLOCK - offset) % BLOCK] = sample;
    for (const [offset, sample] of waves[first + 1]!.entries())
      im[(BLOCK - offset) % BLOCK] = sample;
    fft.forward(re, im);
    pairs.push({ re, im });
  }
  return pairs;
};

/** Running sums of squares: entry i is the energy before sample i. */
export const energyBefore = (pcm: Float32Array): Float64Array => {
  const sums = new Float64Array(pcm.length + 1);
  for (let index = 0; index < pcm.length; index += 1)
    sums[index + 1] = sums[index]! + pcm[index]! * pcm[index]!;
  return sums;
};

/** Offset of the top of the parabola through three neighbouring values, within ±0.5. */
export const parabolaTop = (before: number, top: number, after: number): number => {
  const curvature = before - 2 * top + after;
  return curvature >= 0 ? 0 : Math.max(-0.5, Math.min(0.5, (0.5 * (before - after)) / curvature));
};

/**
 * Averages `factor` samples to one. The signal ends at 6 kHz, so nothing of it folds back; this
 * makes the search three times as fast.
 */
const thinned = (pcm: Float32Array, factor: number): Float32Array => {
  const thin = new Float32Array(Math.floor(pcm.length / factor));
  for (let index = 0; index < thin.length; index += 1) {
    let sum = 0;
    for (let offset = 0; offset < factor; offset += 1) sum += pcm[index * factor + offset]!;
    thin[index] = sum / factor;
  }
  return thin;
};

const keepBest = (found: Found[], candidate: Found, separation: number): void => {
  const last = found.at(-1);
  if (last === undefined || candidate.index - last.index > separation) found.push(candidate);
  else if (candidate.likeness > last.likeness) found[found.length - 1] = candidate;
};

/** What is the same for all sound of one rate. */
type Searched = {
  /** Each so many samples are searched as one. */
  readonly factor: number;
  readonly waves: readonly Float32Array[];
  /** Length of the thinned bursts, samples, and their energies, as roots. */
  readonly length: number;
  readonly norms: readonly number[];
  readonly pairs: readonly Spectrum[];
};

const prepared = new Map<number, Searched>();
const fft = createFft(BLOCK);

const searchedAt = (rate: number): Searched => {
  const known = prepared.get(rate);
  if (known !== undefined) return known;
  const identities = Array.from({ length: IDENTITIES }, (_, identity) => identity);
  const factor = Math.max(1, Math.floor(rate / LEAST_RATE));
  const thin = identities.map((identity) => burstWave(identity, rate / factor));
  const { length } = thin[0]!;
  const searched = {
    factor,
    waves: identities.map((identity) => burstWave(identity, rate)),
    length,
    norms: thin.map((wave) => Math.sqrt(energyBefore(wave)[length]!)),
    pairs: pairSpectra(thin, fft),
  };
  prepared.set(rate, searched);
  return searched;
};

/** The search itself: whole samples, one FFT a block and one for each two bursts. */
const search = (
  pcm: Float32Array,
  { length, norms, pairs }: Searched,
  separation: number,
): Found[] => {
  const energy = energyBefore(pcm);
  const sound = { re: new Float64Array(BLOCK), im: new Float64Array(BLOCK) };
  const product = { re: new Float64Array(BLOCK), im: new Float64Array(BLOCK) };
  const hop = BLOCK - length;
  const found: Found[] = [];
  for (let start = 0; start + length <= pcm.length; start += hop) {
    sound.re.fill(0).set(pcm.subarray(start, start + BLOCK));
    sound.im.fill(0);
    fft.forward(sound.re, sound.im);
    const best = new Float64Array(hop);
    const whose = new Uint8Array(hop);
    for (const [pair, spectrum] of pairs.entries()) {
      for (let bin = 0; bin < BLOCK; bin += 1) {
        const [real, imaginary] = [sound.re[bin]!, sound.im[bin]!];
        product.re[bin] = real * spectrum.re[bin]! - imaginary * spectrum.im[bin]!;
        product.im[bin] = real * spectrum.im[bin]! + imaginary * spectrum.re[bin]!;
      }
      fft.inverse(product.re, product.im);
      for (let offset = 0; offset < hop; offset += 1) {
        const first = product.re[offset]! / norms[2 * pair]!;
        const second = product.im[offset]! / norms[2 * pair + 1]!;
        if (Math.max(first, second) <= best[offset]!) continue;
        best[offset] = Math.max(first, second);
        whose[offset] = 2 * pair + (second > first ? 1 : 0);
      }
    }
    for (let offset = 0; offset < hop && start + offset + length <= pcm.length; offset += 1) {
      const index = start + offset;
      const loudness = Math.sqrt(energy[index + length]! - energy[index]!);
      // Digital silence has no likeness to anything, however small its rounding errors are.
      const likeness = loudness < SILENCE ? 0 : best[offset]! / loudness;
      if (likeness >= LEAST_LIKENESS)
        keepBest(found, { identity: whose[offset]!, index, likeness }, separation);
    }
  }
  return found;
};

/** Places a burst, known to within a few samples, between two of them. */
const refine = (pcm: Float32Array, wave: Float32Array, near: number, reach: number): Refined => {
  const correlations = Array.from({ length: 2 * reach + 1 }, (_, step) => {
    const index = near - reach + step;
    let sum = 0;
    for (let offset = 0; offset < wave.length; offset += 1)
      sum += (pcm[index + offset] ?? 0) * wave[offset]!;
    return sum;
  });
  const height = Math.max(...correlations);
  const top = correlations.indexOf(height);
  const start = near - reach + top;
  const [before, after] = [correlations[top - 1] ?? height, correlations[top + 1] ?? height];
  const heard = pcm.subarray(Math.max(0, start), start + wave.length);
  const [power, ownPower] = [heard, wave].map((part) => energyBefore(part).at(-1)!);
  return {
    position: start + parabolaTop(before, height, after),
    likeness: height / Math.sqrt(power! * ownPower!),
  };
};

/** Finds every burst in mono sound at `rate` Hz, in the order of time. */
export const findBursts = (pcm: Float32Array, rate: number): Burst[] => {
  const searched = searchedAt(rate);
  const { factor, waves } = searched;
  const found = search(thinned(pcm, factor), searched, SEPARATION_SECONDS * (rate / factor));
  return found.map(({ identity, index }) => {
    const { position, likeness } = refine(pcm, waves[identity]!, index * factor, factor + 2);
    return { identity, time: millis((position / rate) * 1000), likeness };
  });
};
