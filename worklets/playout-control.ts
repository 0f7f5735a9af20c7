import {
  type Millis,
  millis,
  SAMPLES_PER_MILLI,
  type Samples,
  samples,
  samplesToMillis,
} from '../shared/time.ts';
import { Delay, type DelayOptions } from './delay.ts';
import { Drift } from './drift.ts';

/** Errors of the delay beyond which it is worth touching the sound, and at which that ends, ms. */
const OUTER = 20;
const INNER = 2;
const FASTER_PER = 1000;
const SLOWER_PER = 500;
const LEAST_PACE = 0.01;
const MOST_PACE = 0.05;
/** So much beyond the target that no stretching makes good: skip. */
const HOPELESS = 1000;
/**
 * At a rate a splice may leave 15 ms less in hand than meant, the longest jump for the least debt. As
 * much more is aimed at, and so much that the control does not take it for an error that may stand.
 */
const SPLICE_RESERVE = 15 + INNER + 8;
const TARGET_QUIET = 3000;
const TARGET_NOISE = 1;

const clampPace = (pace: number): number => Math.max(LEAST_PACE, Math.min(MOST_PACE, pace));

/**
 * Decides how fast to play: compares the delay at the worklet's output with the target, and answers
 * by the resampling ratio, by the pace of the time-stretch, or by a skip.
 *
 * Media may be sent faster than it was said (`rate`). Delays are then those of a clock that runs as
 * fast as the media: what the rate has gained is taken off every position before it is judged, so
 * that frames that come at the rate are on time, and the buffer is held as it is at live.
 */
export class Control {
  readonly #delay: Delay;
  readonly #drift = new Drift();
  #pace = 0;
  #error = 0;
  #target: Millis;
  #updatedAt = Number.NaN;
  #steadyTarget = Number.NaN;
  #movedAt = Number.NEGATIVE_INFINITY;
  #rate = 1;
  /** Media that came beyond the time it took, until `#ratedAt`, ms. */
  #gained = 0;
  #ratedAt = 0;

  constructor(options: DelayOptions) {
    this.#delay = new Delay(options);
    this.#target = this.#delay.target(millis(0));
  }

  /** Media consumed for each nominal sample, by resampling. */
  get ratio(): number {
    return this.#drift.ratio;
  }

  /** Share of media to leave out (positive) or to repeat (negative) by time-stretch. */
  get pace(): number {
    return this.#rate - 1 + this.#rate * this.#pace;
  }

  /** From `now` on media comes, and is to be played, so much faster than it was said. */
  setRate(rate: number, now: Millis): void {
    this.#gained = this.#gain(now);
    this.#ratedAt = now;
    this.#rate = rate;
  }

  /** Delay aimed at, as of the last update. */
  get target(): Millis {
    return this.#target;
  }

  /** Delay less target as of the last update, ms; 0 while the network is not known. */
  get error(): number {
    return this.#error;
  }

  /** True when the delay is beyond what stretching can make good. */
  get hopeless(): boolean {
    return this.#error > HOPELESS;
  }

  arrived(now: Millis, timestamp: Samples): void {
    this.#delay.arrived(now, samples(timestamp - this.#gain(now) * SAMPLES_PER_MILLI));
  }

  pause(): void {
    this.#delay.pause();
  }

  restart(now: Millis): void {
    this.#delay.restart(now);
    this.#pace = 0;
    this.#error = 0;
  }

  /** Media position that has exactly the target's delay at `now`; NaN while that is not known. */
  aim(now: Millis): Samples {
    const due = now + this.#gain(now) - this.#delay.base - this.#aimed(now);
    return samples(due * SAMPLES_PER_MILLI);
  }

  /**
   * Judges the media position that leaves the worklet at `now`. While not `playing` the position
   * stands for reasons of its own, and neither stretch nor drift learns from it.
   */
  update(now: Millis, position: Samples, playing: boolean): void {
    const elapsed = Number.isNaN(this.#updatedAt) ? 0 : Math.max(0, now - this.#updatedAt);
    this.#updatedAt = now;
    this.#target = this.#aimed(now);
    if (Math.abs(this.#target - this.#steadyTarget) > TARGET_NOISE || !(this.#steadyTarget > 0)) {
      this.#steadyTarget = this.#target;
      this.#movedAt = now;
    }
    const clock = now + this.#gain(now);
    const error = clock - samplesToMillis(position) - this.#delay.base - this.#target;
    this.#error = Number.isNaN(error) ? 0 : error;
    this.#pace = playing ? this.#decide(this.#error) : 0;
    // Splices by the dozen a second hide what the two clocks differ by.
    const stretches = this.#pace !== 0 || this.#rate !== 1;
    if (!playing || stretches || now - this.#movedAt < TARGET_QUIET) this.#drift.hold(this.#error);
    else this.#drift.update(this.#error, elapsed);
  }

  #aimed(now: Millis): Millis {
    const reserve = this.#rate === 1 ? 0 : SPLICE_RESERVE;
    return millis(this.#delay.target(now) + reserve);
  }

  #gain(now: Millis): number {
    return this.#gained + (this.#rate - 1) * (now - this.#ratedAt);
  }

  #decide(error: number): number {
    if (error > OUTER || (this.#pace > 0 && error > INNER)) return clampPace(error / FASTER_PER);
    if (error < -OUTER || (this.#pace < 0 && error < -INNER))
      return -clampPace(-error / SLOWER_PER);
    return 0;
  }
}
