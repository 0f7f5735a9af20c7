/** Waiting before the next try: exponential with full jitter, so that a crowd spreads out. */
import { type Millis, millis } from './time.ts';

/** Full-jitter backoff: each wait is uniform between 0 and a ceiling that doubles up to `most`. */
export class Backoff {
  readonly #least: number;
  readonly #most: number;
  readonly #random: () => number;
  #ceiling: number;

  constructor({ least = 250, most = 8000, random = Math.random } = {}) {
    this.#least = least;
    this.#most = most;
    this.#random = random;
    this.#ceiling = least;
  }

  /** How long to wait before the next try. */
  next(): Millis {
    const wait = this.#random() * this.#ceiling;
    this.#ceiling = Math.min(this.#ceiling * 2, this.#most);
    return millis(wait);
  }

  /** The last try succeeded: begin anew at the least. */
  reset(): void {
    this.#ceiling = this.#least;
  }
}
