import { type Millis, millis, type Samples, samplesToMillis } from '../shared/time.ts';

/** Least and greatest delay aimed at. */
export const FLOOR = millis(40);
export const CEILING = millis(1000);

const BLOCK = 500;
/** A peak is gone after this long, and on the way the target comes down as fast as 5 % plays it. */
const MEMORY = 28_000;
const DESCENT = 0.05;
const HEADROOM = 1.2;
const MARGIN = 10;
const BLOCKS = MEMORY / BLOCK + 1;
/** The smallest transit is looked for in the last 10 s: shorter follows drift, longer routes. */
const BASE_BLOCKS = 20;
/** A target brought along from before is believed for this long without any proof. */
const INITIAL_MEMORY = 10_000;
/** After a pause, transits are believed again when they have not fallen for this long. */
const SETTLED = 200;
const FALL = 5;

/**
 * How late frames come, and so how much delay is worth having: an envelope over the peaks of the
 * last 28 s, each with a countdown. Transit is arrival less media position; the smallest of the last
 * 10 s is the base, and delays are counted from it. Peaks are kept as transits, so that they follow
 * the base when a route changes.
 */
export class Delay {
  readonly #floor: number;
  readonly #ceiling: number;
  readonly #peaks = new Float64Array(BLOCKS).fill(Number.NEGATIVE_INFINITY);
  readonly #peaksAt = new Float64Array(BLOCKS);
  readonly #lows = new Float64Array(BLOCKS).fill(Number.POSITIVE_INFINITY);
  #block = 0;
  #base = Number.NaN;
  #initial: number;
  #initialAt = Number.NaN;
  #catchingUp = false;
  #lowest = Number.POSITIVE_INFINITY;
  #loweredAt = Number.NaN;

  constructor({ initial, floor = FLOOR, ceiling = CEILING }: DelayOptions) {
    this.#initial = initial;
    this.#floor = floor;
    this.#ceiling = ceiling;
  }

  /** Smallest transit of the last 10 s in which frames came; NaN before the first frame. */
  get base(): Millis {
    return millis(this.#base);
  }

  /** A frame that began at `timestamp` was in hand at `now`. */
  arrived(now: Millis, timestamp: Samples): void {
    const transit = now - samplesToMillis(timestamp);
    if (this.#catchingUp && !this.#settles(now, transit)) return;
    this.#roll(now);
    const slot = this.#block % BLOCKS;
    if (transit > this.#peaks[slot]!) {
      this.#peaks[slot] = transit;
      this.#peaksAt[slot] = now;
    }
    if (transit < this.#lows[slot]!) this.#lows[slot] = transit;
    if (!(transit >= this.#base)) this.#base = transit;
    if (Number.isNaN(this.#initialAt)) this.#initialAt = now;
  }

  /** Delay to aim at, between floor and ceiling. */
  target(now: Millis): Millis {
    this.#roll(now);
    const floor = this.#floor;
    const held = Number.isNaN(this.#initialAt) ? 0 : now - this.#initialAt;
    let target = Math.max(floor, envelope(this.#initial, floor, INITIAL_MEMORY - held));
    for (let slot = 0; slot < BLOCKS; slot += 1) {
      const late = this.#peaks[slot]! - this.#base;
      if (!(late > 0)) continue;
      const left = MEMORY - (now - this.#peaksAt[slot]!);
      target = Math.max(target, envelope(HEADROOM * late + MARGIN, floor, left));
    }
    return millis(Math.min(target, this.#ceiling));
  }

  /** What comes next may be late for reasons that are not the network's, until it has caught up. */
  pause(): void {
    this.#catchingUp = true;
    this.#lowest = Number.POSITIVE_INFINITY;
    this.#loweredAt = Number.NaN;
  }

  /** Forgets the media clock; the target of now is what the next begins with. */
  restart(now: Millis): void {
    this.#initial = this.target(now);
    this.#initialAt = Number.NaN;
    this.#base = Number.NaN;
    this.#catchingUp = false;
    this.#peaks.fill(Number.NEGATIVE_INFINITY);
    this.#lows.fill(Number.POSITIVE_INFINITY);
  }

  #settles(now: number, transit: number): boolean {
    if (!(transit > this.#lowest - FALL)) {
      this.#lowest = transit;
      this.#loweredAt = now;
    }
    const near = transit <= this.#base + MARGIN;
    this.#catchingUp = !near && now - this.#loweredAt < SETTLED;
    return !this.#catchingUp;
  }

  #roll(now: number): void {
    const block = Math.floor(now / BLOCK);
    if (block <= this.#block) return;
    for (let step = Math.min(block - this.#block, BLOCKS); step > 0; step -= 1) {
      const slot = (block - step + 1) % BLOCKS;
      this.#peaks[slot] = Number.NEGATIVE_INFINITY;
      this.#lows[slot] = Number.POSITIVE_INFINITY;
    }
    this.#block = block;
    let low = Number.POSITIVE_INFINITY;
    for (let age = 0; age <= BASE_BLOCKS && age <= block; age += 1)
      low = Math.min(low, this.#lows[(block - age) % BLOCKS]!);
    if (low < Number.POSITIVE_INFINITY) this.#base = low;
  }
}

/** What a target delay begins with, and its limits. */
export type DelayOptions = {
  readonly initial: Millis;
  readonly floor?: Millis;
  readonly ceiling?: Millis;
};

const envelope = (wanted: number, floor: number, left: number): number =>
  Math.min(wanted, floor + DESCENT * left);
