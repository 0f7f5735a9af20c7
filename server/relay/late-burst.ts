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
/** A burst is waited for at most so long, ms; whoever listens hears nothing meanwhile anyway. */
const WAIT_MOST = 2000;

/**
 * How often `settle` wants to be called while a burst lasts, ms: longer than a round trip, since
 * TCP sends a window of data at a time.
 */
export const SETTLE_EVERY = 200;

/** Follows how late frames are. */
export class LateBurst {
  #usual = 0;
  #since: Utc | undefined;
  #checked: Utc | undefined;
  #arrived = 0;

  /**
   * Enters a frame: how late it is, and its length, ms. `over` is said once, by the first frame of a
   * burst that is no longer late.
   */
  enter(lateness: Millis, duration: Millis, now: Utc): 'calm' | 'lasts' | 'over' {
    this.#usual = Math.min(this.#usual, Math.max(0, lateness));
    this.#arrived += duration;
    const late = lateness - this.#usual > LATE;
    if (this.#since === undefined) {
      if (!late) return 'calm';
      this.#since = now;
      this.#checked = now;
      this.#arrived = 0;
      return 'lasts';
    }
    if (late) return 'lasts';
    this.#since = undefined;
    return 'over';
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
