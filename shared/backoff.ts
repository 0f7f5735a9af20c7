/** Waiting before the next try: exponential with full jitter, so that a crowd spreads out. */
import { type Millis, millis } from './time.ts';

/**
 * Full-jitter backoff: each wait is uniform between 0 and a ceiling that doubles up to `most`. For
 * the first `tries` it stays at `soon`: a server that restarts is back in a second or two.
 */
export class Backoff {
  readonly #least: number;
  readonly #most: number;
  readonly #soon: number;
  readonly #tries: number;
  readonly #random: () => number;
  #ceiling: number;
  #tried = 0;

  constructor({ least = 250, most = 8000, soon = 2000, tries = 0, random = Math.random } = {}) {
    this.#least = least;
    this.#most = most;
    this.#soon = soon;
    this.#tries = tries;
    this.#random = random;
    this.#ceiling = least;
  }

  /** How long to wait before the next try. */
  next(): Millis {
    const wait = this.#random() * this.#ceiling;
    this.#tried += 1;
    const most = this.#tried < this.#tries ? this.#soon : this.#most;
    this.#ceiling = Math.min(this.#ceiling * 2, most);
    return millis(wait);
  }

  /** The last try succeeded: begin anew at the least. */
  reset(): void {
    this.#ceiling = this.#least;
    this.#tried = 0;
  }
}
