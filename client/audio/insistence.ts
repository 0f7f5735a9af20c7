/** When a rendition that is wanted, and after trouble is not the one that plays, is asked for again. */

/** The first time after so long, each further time after twice as long, ms. */
const LEAST = 12_000;
const MOST = 600_000;

/** Looked at regularly; a rendition that is broken is asked for ever more seldom. */
export class Insistence {
  #right = true;
  #since = Number.NEGATIVE_INFINITY;
  #patience = LEAST;

  /** Whether it is time at `now`, ms; `right`: what is wanted plays. */
  isDue(now: number, right: boolean): boolean {
    if (right !== this.#right) this.#since = now;
    this.#right = right;
    const lasted = now - this.#since;
    // A new play says at once that it is what is wanted, before anything has come of it.
    if (right && lasted >= LEAST) this.#patience = LEAST;
    if (right || lasted < this.#patience) return false;
    this.#since = now;
    this.#patience = Math.min(MOST, 2 * this.#patience);
    return true;
  }
}
