/**
 * Momentary loudness by EBU R 128 (EBU Tech 3341): the mean power of the last 400 ms after the
 * K-weighting of ITU-R BS.1770-4, at any device rate.
 */
import { ABSOLUTE_GATE, KWeighting, loudnessOf } from '../shared/loudness-filter.ts';

export { kWeighting } from '../shared/loudness-filter.ts';

/** Blocks in the window; a reading is at most one block, 50 ms, old. */
const BLOCKS = 8;
const BLOCKS_PER_SECOND = 20;

/** Momentary loudness of one or two channels at any rate. */
export class Loudness {
  readonly #weighting: KWeighting;
  readonly #blocks = new Float64Array(BLOCKS);
  readonly #blockLength: number;
  #block = 0;
  #filled = 0;
  #squares = 0;

  /** `rate` in Hz. One channel is measured as one, 3 LU below the same sound in two. */
  constructor({ rate, channels }: { readonly rate: number; readonly channels: number }) {
    this.#weighting = new KWeighting({ rate, channels });
    this.#blockLength = Math.round(rate / BLOCKS_PER_SECOND);
  }

  /** Takes the first `count` samples of each channel. */
  write(input: readonly Float32Array[], count: number): void {
    let from = 0;
    while (from < count) {
      const to = Math.min(count, from + this.#blockLength - this.#filled);
      for (let channel = 0; channel < this.#weighting.channels; channel += 1)
        this.#squares += this.#weighting.squares(channel, input[channel] as Float32Array, from, to);
      this.#filled += to - from;
      from = to;
      if (this.#filled === this.#blockLength) this.#closeBlock();
    }
  }

  /** Loudness of the last 400 ms, LUFS; -Infinity below the absolute gate of -70. */
  get momentary(): number {
    let squares = 0;
    for (const block of this.#blocks) squares += block;
    const loudness = loudnessOf(squares / (BLOCKS * this.#blockLength));
    return loudness > ABSOLUTE_GATE ? loudness : Number.NEGATIVE_INFINITY;
  }

  #closeBlock(): void {
    this.#blocks[this.#block] = this.#squares;
    this.#block = (this.#block + 1) % BLOCKS;
    this.#filled = 0;
    this.#squares = 0;
  }
}
