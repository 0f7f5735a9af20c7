const SEGMENTS = 64;

/**
 * A piecewise linear map from a running count of samples to a position, good for the last 64 pieces.
 * It answers which media sample an output sample was, after concealment, splices and resampling.
 */
export class Timeline {
  readonly #starts = new Float64Array(SEGMENTS);
  readonly #values = new Float64Array(SEGMENTS);
  readonly #slopes = new Float64Array(SEGMENTS).fill(1);
  #newest = 0;
  #count = 1;

  /** From `index` on, positions are `value` and grow by `slope` a sample; later pieces are forgotten. */
  mark(index: number, value: number, slope = 1): void {
    while (this.#count > 1 && this.#starts[this.#newest]! >= index) {
      this.#newest = (this.#newest + SEGMENTS - 1) % SEGMENTS;
      this.#count -= 1;
    }
    if (this.#starts[this.#newest]! < index) {
      this.#newest = (this.#newest + 1) % SEGMENTS;
      this.#count = Math.min(this.#count + 1, SEGMENTS);
    }
    this.#starts[this.#newest] = index;
    this.#values[this.#newest] = value;
    this.#slopes[this.#newest] = slope;
  }

  /** Marks only where the position would otherwise come out differently. */
  continue(index: number, value: number, slope: number): void {
    if (slope !== this.#slopes[this.#newest]! || value !== this.at(index))
      this.mark(index, value, slope);
  }

  /** Position at `index`, which may be fractional; before the oldest piece it is extrapolated. */
  at(index: number): number {
    let piece = this.#newest;
    for (let older = this.#count - 1; older > 0 && this.#starts[piece]! > index; older -= 1)
      piece = (piece + SEGMENTS - 1) % SEGMENTS;
    return this.#values[piece]! + this.#slopes[piece]! * (index - this.#starts[piece]!);
  }
}
