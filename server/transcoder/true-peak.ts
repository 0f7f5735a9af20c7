/** True peak by 4x oversampling (ITU-R BS.1770-4, annex 2), with a windowed sinc of our own. */

const PHASES = 4;
const TAPS = 12;
const HISTORY = TAPS - 1;
/** The sample before the interpolated ones, counted from the first tap. */
const CENTRE = TAPS / 2 - 1;
const KAISER = 5;
/** Interpolated together or not at all. */
const RUN = 16;

/** Modified Bessel function of the first kind and order zero, by its series. */
const bessel = (x: number): number => {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-12 * sum; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
};

/** Weights of the taps, one row for each of the three positions between two samples. */
const kernel = (): Float64Array => {
  const weights = new Float64Array((PHASES - 1) * TAPS);
  for (let phase = 1; phase < PHASES; phase += 1) {
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap += 1) {
      const distance = tap - CENTRE - phase / PHASES;
      const edge = 1 - (distance / (TAPS / 2)) ** 2;
      const sinc = Math.sin(Math.PI * distance) / (Math.PI * distance);
      const weight = (sinc * bessel(KAISER * Math.sqrt(Math.max(0, edge)))) / bessel(KAISER);
      weights[(phase - 1) * TAPS + tap] = weight;
      sum += weight;
    }
    for (let tap = 0; tap < TAPS; tap += 1) weights[(phase - 1) * TAPS + tap]! /= sum;
  }
  return weights;
};

const WEIGHTS = kernel();

/**
 * The kernel between two samples is symmetric, and those at a quarter and at three quarters mirror
 * each other: with the sum and the difference of the taps of a pair, half the products are enough.
 */
const PAIRS = TAPS / 2;
const pairs = (weight: (tap: number) => number): Float64Array =>
  Float64Array.from({ length: PAIRS }, (_, tap) => weight(tap));
const [QUARTER, MIDDLE] = [WEIGHTS.subarray(0, TAPS), WEIGHTS.subarray(TAPS, 2 * TAPS)];
const mirrored = (tap: number): number => QUARTER[HISTORY - tap] as number;
const HALF = pairs((tap) => MIDDLE[tap] as number);
const EVEN = pairs((tap) => ((QUARTER[tap] as number) + mirrored(tap)) / 2);
const ODD = pairs((tap) => ((QUARTER[tap] as number) - mirrored(tap)) / 2);

/** No interpolated value is greater than the greatest sample under the taps times this. */
const MOST_GAIN = Math.max(
  ...Array.from({ length: PHASES - 1 }, (_, row) =>
    WEIGHTS.subarray(row * TAPS, (row + 1) * TAPS).reduce((sum, one) => sum + Math.abs(one), 0),
  ),
);

/** The true peak of one channel. */
export class TruePeak {
  #signal = new Float32Array(HISTORY);
  #peak = 0;
  /** The greatest magnitude of the last samples: at least of those that the next taps begin with. */
  #before = 0;

  /** From here on this is as if it had heard all that another has. */
  follow(other: TruePeak): void {
    this.#signal = other.#signal.slice();
    this.#peak = other.#peak;
    this.#before = other.#before;
  }

  /** Takes samples `from` to `to`. */
  write(input: Float32Array, from: number, to: number): void {
    const count = to - from;
    const length = HISTORY + count;
    if (this.#signal.length < length) {
      const longer = new Float32Array(length);
      longer.set(this.#signal.subarray(0, HISTORY));
      this.#signal = longer;
    }
    this.#signal.set(input.subarray(from, to), HISTORY);
    for (let start = 0; start < count; start += RUN) this.#run(start, Math.min(count, start + RUN));
    this.#signal.copyWithin(0, count, length);
  }

  /** The greatest magnitude since the last call, 1 is full scale. */
  take(): number {
    const peak = this.#peak;
    this.#peak = 0;
    return peak;
  }

  /** Interpolates only where the samples are large enough to make a new peak possible. */
  #run(start: number, end: number): void {
    const signal = this.#signal;
    let latest = 0;
    for (let index = start + HISTORY; index < end + HISTORY; index += 1) {
      const magnitude = Math.abs(signal[index] as number);
      if (magnitude > latest) latest = magnitude;
    }
    const greatest = Math.max(latest, this.#before);
    // A short run does not hold all that the next taps begin with.
    this.#before = end - start < HISTORY ? greatest : latest;
    if (greatest * MOST_GAIN <= this.#peak) return;
    let peak = Math.max(latest, this.#peak);
    for (let index = start; index < end; index += 1) {
      let half = 0;
      let even = 0;
      let odd = 0;
      for (let tap = 0; tap < PAIRS; tap += 1) {
        const early = signal[index + tap] as number;
        const late = signal[index + HISTORY - tap] as number;
        const sum = early + late;
        half += (HALF[tap] as number) * sum;
        even += (EVEN[tap] as number) * sum;
        odd += (ODD[tap] as number) * (early - late);
      }
      // Of the quarters, `even + odd` and `even - odd`, the greater magnitude is this sum.
      peak = Math.max(peak, Math.abs(half), Math.abs(even) + Math.abs(odd));
    }
    this.#peak = peak;
  }
}
