import type { Content } from './playout-content.ts';

/** Length of the crossfade of a splice, and of what is compared: 10 ms. */
export const FADE = 480;

/** Shortest and longest jump: 5 and 20 ms. */
export const LEAST_JUMP = 240;
export const MOST_JUMP = 960;

const DECIMATION = 4;
const COARSE_FADE = FADE / DECIMATION;
const COARSE_JUMPS = (MOST_JUMP - LEAST_JUMP) / DECIMATION + 1;
const COARSE_LENGTH = COARSE_FADE + MOST_JUMP / DECIMATION;
/** Power of full scale at -90 dB: below it there is nothing to hear, and so nothing to compare. */
const SILENT = 1e-9;

/**
 * Finds the jump after which the sound goes on most nearly as it would have: normalised correlation
 * of the next 10 ms with those a jump away, in mono at 12 kHz first, refined in stereo at 48 kHz.
 */
export class SpliceSearch {
  readonly #mono = new Float32Array(COARSE_LENGTH);
  #jump = 0;
  #likeness = 0;

  /** Best jump of the last search, samples; positive leaves media out, negative repeats it. */
  get jump(): number {
    return this.#jump;
  }

  /** Normalised correlation across that jump, -1 to 1. */
  get likeness(): number {
    return this.#likeness;
  }

  /** Searches from the head of `content`; the caller vouches for history, or for enough ahead. */
  run(content: Content, direction: 1 | -1): void {
    const { head } = content;
    const coarse = this.#coarse(content, direction);
    this.#likeness = -2;
    for (let nudge = -DECIMATION + 1; nudge < DECIMATION; nudge += 1) {
      const length = coarse + nudge;
      if (length < LEAST_JUMP || length > MOST_JUMP) continue;
      const likeness = correlate(content, head, head + direction * length);
      if (likeness <= this.#likeness) continue;
      this.#likeness = likeness;
      this.#jump = direction * length;
    }
  }

  #coarse(content: Content, direction: 1 | -1): number {
    const mono = this.#mono;
    const start = direction > 0 ? content.head : content.head - MOST_JUMP;
    decimate(content, start, mono);
    const own = direction > 0 ? 0 : MOST_JUMP / DECIMATION;
    let best = 0;
    let likeness = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < COARSE_JUMPS; k += 1) {
      const other = own + direction * (LEAST_JUMP / DECIMATION + k);
      let dot = 0;
      let power = SILENT;
      for (let n = 0; n < COARSE_FADE; n += 1) {
        const b = mono[other + n]!;
        dot += mono[own + n]! * b;
        power += b * b;
      }
      const value = dot / Math.sqrt(power);
      if (value <= likeness) continue;
      likeness = value;
      best = k;
    }
    return LEAST_JUMP + best * DECIMATION;
  }
}

/** Mono at a quarter of the rate; triangular weights keep what folds down by 20 dB and more. */
const decimate = ({ left, right }: Content, start: number, mono: Float32Array): void => {
  for (let n = 0; n < mono.length; n += 1) {
    const at = start + n * DECIMATION;
    mono[n] =
      0.25 * (left[at]! + right[at]! + left[at + 3]! + right[at + 3]!) +
      0.5 * (left[at + 1]! + right[at + 1]! + left[at + 2]! + right[at + 2]!);
  }
};

const correlate = ({ left, right }: Content, here: number, there: number): number => {
  let dot = 0;
  let own = 0;
  let other = 0;
  for (let k = 0; k < FADE; k += 1) {
    const a = left[here + k]!;
    const b = right[here + k]!;
    const c = left[there + k]!;
    const d = right[there + k]!;
    dot += a * c + b * d;
    own += a * a + b * b;
    other += c * c + d * d;
  }
  if (own < SILENT * FADE && other < SILENT * FADE) return 1;
  return dot / Math.sqrt(own * other + SILENT * SILENT);
};
