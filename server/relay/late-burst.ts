/**
 * Tells a burst of late frames (the replay after an outage) from a path that has become longer.
 * While a burst lasts, nobody is sent anything, so that the live edge is known before listeners
 * are moved to it.
 */
import { type Millis, millis, type Utc } from '../../shared/time.ts';

/** A frame later than this belongs to a burst, ms. */
const LATE = 1000;
/** A burst brings media faster than this many times real time. */
const FASTER = 2;
/** A burst is waited for at most so long, ms. */
const WAIT_MOST = 500;

/** How often `settle` wants to be called while a burst lasts, ms. */
export const SETTLE_EVERY = 20;

/** Follows how late frames are. */
export class LateBurst {
  #usual = 0;
  #since: Utc | undefined;
  #checked: Utc | undefined;
  #arrived = 0;

  get lasts(): boolean {
    return this.#since !== undefined;
  }

  /** Enters a frame: how late it is, and its length, ms. Returns whether a burst lasts now. */
  enter(lateness: Millis, duration: Millis, now: Utc): boolean {
    this.#usual = Math.min(this.#usual, Math.max(0, lateness));
    this.#arrived += duration;
    if (this.#since === undefined && lateness - this.#usual > LATE) {
      this.#since = now;
      this.#checked = now;
      this.#arrived = 0;
    }
    return this.lasts;
  }

  /** Returns whether the burst is over; then the newest frame's lateness is the usual one. */
  settle(lateness: Millis, now: Utc): boolean {
    if (this.#since === undefined || this.#checked === undefined) return true;
    const elapsed = now - this.#checked;
    const goesOn = this.#arrived > FASTER * elapsed;
    this.#checked = now;
    this.#arrived = 0;
    if (goesOn && now - this.#since < WAIT_MOST) return false;
    this.#since = undefined;
    this.#usual = millis(Math.max(0, lateness));
    return true;
  }
}
