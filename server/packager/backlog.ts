/** Tells a backlog that is being caught up with from a media clock that has lost time for good. */
import type { Millis, Samples } from '../../shared/time.ts';

/** How long late frames are watched before they are judged, ms. */
const WATCHED = 2000;
/** After frames stopped for so long, watching begins anew, ms. */
const PAUSE = 960;
/** A backlog is waited for while it would be caught up with within so many times `WATCHED`: 30 s. */
const PATIENCE = 15;

/** Watches frames that are too far behind to be of use. */
export class Backlog {
  #since: number | undefined;
  #newest = 0;
  #first = 0;

  /**
   * Enters a frame that is `lag` behind. Returns whether frames stay behind: over 2 s they gained
   * so little that catching up would take longer than 30 s.
   */
  staysBehind(lag: Samples, elapsed: Millis): boolean {
    if (this.#since === undefined || elapsed - this.#newest > PAUSE) this.#watch(lag, elapsed);
    this.#newest = elapsed;
    if (elapsed - (this.#since ?? elapsed) < WATCHED) return false;
    const gained = this.#first - lag;
    if (lag > gained * PATIENCE) return true;
    this.#watch(lag, elapsed);
    return false;
  }

  /** A frame came in time. */
  clear(): void {
    this.#since = undefined;
  }

  #watch(lag: Samples, elapsed: Millis): void {
    this.#since = elapsed;
    this.#first = lag;
  }
}
