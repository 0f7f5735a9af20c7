import { type Millis, millis, type Samples, samples, samplesToMillis } from '../shared/time.ts';
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
const TARGET_QUIET = 3000;
const TARGET_NOISE = 1;

const clampPace = (pace: number): number => Math.max(LEAST_PACE, Math.min(MOST_PACE, pace));

/**
 * Decides how fast to play: compares the delay at the worklet's output with the target, and answers
 * by the resampling ratio, by the pace of the time-stretch, or by a skip.
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
    return this.#pace;
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
    this.#delay.arrived(now, timestamp);
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
    return samples((now - this.#delay.base - this.#delay.target(now)) * 48);
  }

  /**
   * Judges the media position that leaves the worklet at `now`. While not `playing` the position
   * stands for reasons of its own, and neither stretch nor drift learns from it.
   */
  update(now: Millis, position: Samples, playing: boolean): void {
    const elapsed = Number.isNaN(this.#updatedAt) ? 0 : Math.max(0, now - this.#updatedAt);
    this.#updatedAt = now;
    this.#target = this.#delay.target(now);
    if (Math.abs(this.#target - this.#steadyTarget) > TARGET_NOISE || !(this.#steadyTarget > 0)) {
      this.#steadyTarget = this.#target;
      this.#movedAt = now;
    }
    const error = now - samplesToMillis(position) - this.#delay.base - this.#target;
    this.#error = Number.isNaN(error) ? 0 : error;
    this.#pace = playing ? this.#decide(this.#error) : 0;
    if (!playing || this.#pace !== 0 || now - this.#movedAt < TARGET_QUIET)
      this.#drift.hold(this.#error);
    else this.#drift.update(this.#error, elapsed);
  }

  #decide(error: number): number {
    if (error > OUTER || (this.#pace > 0 && error > INNER)) return clampPace(error / FASTER_PER);
    if (error < -OUTER || (this.#pace < 0 && error < -INNER))
      return -clampPace(-error / SLOWER_PER);
    return 0;
  }
}
