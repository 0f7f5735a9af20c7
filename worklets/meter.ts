/** Level meters: what a person needs to see to keep a good distance from the microphone. */

/** From here on a sample counts as clipped: the largest positive int16, as a fraction. */
const FULL_SCALE = 32_767 / 32_768;

/** Amplitude to dBFS, where a full-scale sine peaks at 0 and has an RMS of -3.01. */
export const decibels = (amplitude: number): number =>
  amplitude > 0 ? 20 * Math.log10(amplitude) : Number.NEGATIVE_INFINITY;

/** Peak and RMS of each channel since the last `reset`. */
export class Meter {
  readonly #peaks: Float64Array;
  readonly #squares: Float64Array;
  #count = 0;

  constructor({ channels }: { readonly channels: number }) {
    this.#peaks = new Float64Array(channels);
    this.#squares = new Float64Array(channels);
  }

  /** Takes the first `count` samples of each channel. */
  write(input: readonly Float32Array[], count: number): void {
    for (let channel = 0; channel < this.#peaks.length; channel += 1) {
      const signal = input[channel] as Float32Array;
      let peak = this.#peaks[channel] as number;
      let squares = 0;
      for (let index = 0; index < count; index += 1) {
        const sample = signal[index] as number;
        squares += sample * sample;
        const amplitude = sample < 0 ? -sample : sample;
        if (amplitude > peak) peak = amplitude;
      }
      this.#peaks[channel] = peak;
      this.#squares[channel] = (this.#squares[channel] as number) + squares;
    }
    this.#count += count;
  }

  /** Largest amplitude of a channel, dBFS; above 0 where the gain is too high. */
  peak(channel: number): number {
    return decibels(this.#peaks[channel] ?? 0);
  }

  /** Root mean square of a channel, dBFS. */
  rms(channel: number): number {
    if (this.#count === 0) return Number.NEGATIVE_INFINITY;
    return decibels(Math.sqrt((this.#squares[channel] ?? 0) / this.#count));
  }

  /** Whether a sample of any channel was at full scale or beyond. */
  get clipped(): boolean {
    for (const peak of this.#peaks) if (peak >= FULL_SCALE) return true;
    return false;
  }

  reset(): void {
    this.#peaks.fill(0);
    this.#squares.fill(0);
    this.#count = 0;
  }
}
