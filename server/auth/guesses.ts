/** Counts wrong tokens by address, so that nobody can try many (SURFACE: 30 a minute). */
import type { Utc } from '../../shared/time.ts';

const ALLOWED = 30;
const WINDOW = 60_000;
const ADDRESSES = 10_000;

/** Wrong tokens of the last minute by address; a right token is never held back by them. */
export class Guesses {
  readonly #wrong = new Map<string, { count: number; until: number }>();

  /** Enters a wrong token. Returns the seconds to wait when there have been too many, else 0. */
  wrong(address: string, now: Utc): number {
    const known = this.#wrong.get(address);
    if (known === undefined || known.until <= now) {
      this.#wrong.delete(address);
      // Insertion order is age: the oldest entry makes room, so that memory stays bounded.
      if (this.#wrong.size >= ADDRESSES) this.#wrong.delete(this.#wrong.keys().next().value ?? '');
      this.#wrong.set(address, { count: 1, until: now + WINDOW });
      return 0;
    }
    known.count += 1;
    return known.count > ALLOWED ? Math.ceil((known.until - now) / 1000) : 0;
  }
}
