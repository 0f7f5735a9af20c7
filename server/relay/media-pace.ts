/**
 * Where a publisher's media clock should be by now, judged by the server's own clock, so that no
 * publisher can run ahead of time and every late frame is known to be late.
 *
 * The line starts at the first frame and advances with wall time at a rate that follows the
 * publisher's crystal within ±1000 ppm: it rises at +1000 ppm and each minute comes down, by
 * 2000 ppm at most, to where the fresh frames really were.
 */
import {
  type Millis,
  millis,
  millisToSamples,
  type Samples,
  samplesToMillis,
  type Utc,
} from '../../shared/time.ts';

/** How far media time may run ahead of the line, ms. */
export const MAX_LEAD = millis(5000);

const FASTEST = 1 + 1000e-6;
const FIT_EVERY = 60_000;
const FIT_MOST = FIT_EVERY * 2000e-6;

/** The expected media time of one epoch. */
export class MediaPace {
  #origin: number;
  #since: number;
  #fitted: number;
  #slack = Number.POSITIVE_INFINITY;

  /** The line passes through the first frame's timestamp at its arrival. */
  constructor(timestamp: Samples, now: Utc) {
    this.#origin = samplesToMillis(timestamp);
    this.#since = now;
    this.#fitted = now;
  }

  /**
   * Enters a frame. Returns how far it is ahead of the line, ms: negative is late; more than
   * `MAX_LEAD` is a publisher that makes time up.
   */
  enter(timestamp: Samples, now: Utc): Millis {
    const lead = samplesToMillis(timestamp) - this.#line(now);
    this.#slack = Math.min(this.#slack, Math.max(0, -lead));
    if (now - this.#fitted >= FIT_EVERY) this.#fit(now);
    return millis(lead);
  }

  /** The media time that is expected now, samples. */
  expected(now: Utc): Samples {
    return millisToSamples(millis(this.#line(now)));
  }

  /** From now on the given timestamp is on time: its path has become longer, not its frames late. */
  rebase(timestamp: Samples, now: Utc): void {
    this.#origin = samplesToMillis(timestamp);
    this.#since = now;
    this.#fitted = now;
    this.#slack = Number.POSITIVE_INFINITY;
  }

  #line(now: Utc): number {
    return this.#origin + (now - this.#since) * FASTEST;
  }

  #fit(now: Utc): void {
    if (Number.isFinite(this.#slack)) this.#origin -= Math.min(this.#slack, FIT_MOST);
    this.#slack = Number.POSITIVE_INFINITY;
    this.#fitted = now;
  }
}
