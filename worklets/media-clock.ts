/**
 * The media clock: every sample captured gets its place, counted at 48 kHz from the start of a
 * run. Holes in the device's own count stay holes on this one; when the context stood still, the
 * run is over and the next one begins at 0, or all that follows would be late for ever.
 */
import { SAMPLE_RATE, type Samples, samples, type Utc, utc } from '../shared/time.ts';
import { WallAnchor } from './wall-anchor.ts';

/**
 * What a quantum told the clock: it follows the last one, or device frames are missing before it,
 * or a new run begins with it.
 */
export type Tick = 'steady' | 'hole' | 'new run';

/** Device time in which holes do not count as missed, seconds: a context jumps when it starts. */
const SETTLING = 0.5;

/** Counts what was captured; driven by the context's frame count and an injected wall clock. */
export class MediaClock {
  readonly #rate: number;
  readonly #anchor = new WallAnchor();
  /** Device frames in the shortest stretch that is a whole number of frames of any length. */
  readonly #stretch: number;
  #run = 0;
  #starting = true;
  /** Device frame that has timestamp 0. */
  #origin = 0;
  #timestamp = 0;
  #expected = -1;
  #missing = 0;
  #missed = 0;
  #settled = -1;
  #gap = false;

  /** `rate` is the context's, Hz. */
  constructor({ rate }: { readonly rate: number }) {
    this.#rate = rate;
    // 200 ms is five frames of 40 ms and ten of 20; where it is no whole number of device frames
    // (no usual rate), a second is.
    this.#stretch = rate % 5 === 0 ? rate / 5 : rate;
  }

  get run(): number {
    return this.#run;
  }

  /** Timestamp of the frame that is being filled. */
  get timestamp(): Samples {
    return samples(this.#timestamp);
  }

  /** Device frames missing right before the quantum of the last tick. */
  get missing(): number {
    return this.#missing;
  }

  /** Device frames that never came since the context settled, time it lost included. */
  get missed(): number {
    return this.#missed + Math.round((this.#anchor.lost * this.#rate) / 1000);
  }

  /** Begins a run: the first sample of the next quantum has timestamp 0. */
  start(run: number): void {
    this.#run = run;
    this.#starting = true;
  }

  /** Takes a quantum of `length` device frames; `wall` is the UTC now. */
  tick(currentFrame: number, length: number, wall: Utc): Tick {
    this.#missing = this.#expected < 0 ? 0 : Math.max(0, currentFrame - this.#expected);
    if (this.#settled < 0) this.#settled = currentFrame + SETTLING * this.#rate;
    if (currentFrame > this.#settled) this.#missed += this.#missing;
    this.#expected = currentFrame + length;
    const stood = this.#anchor.observe((this.#expected * 1000) / this.#rate, wall);
    if (stood && !this.#starting) {
      this.#run += 1;
      this.#starting = true;
    }
    if (this.#starting) return this.#begin(currentFrame);
    return this.#missing > 0 ? 'hole' : 'steady';
  }

  /**
   * Of a hole of `missing` device frames, those to pass over with `skip` instead of writing them to
   * the framer: nothing of a short hole, all but the last stretch of 200 ms or more of a long one.
   */
  skippable(missing: number): number {
    return Math.max(0, Math.floor(missing / this.#stretch) - 1) * this.#stretch;
  }

  /** Passes over device frames that `skippable` has counted. */
  skip(missing: number): void {
    if (missing === 0) return;
    this.#timestamp += Math.round((missing * SAMPLE_RATE) / this.#rate);
    this.#gap = true;
  }

  /** Passes over a frame of which nothing was captured, or which could not be encoded. */
  drop(duration: Samples): void {
    this.#timestamp += duration;
    this.#gap = true;
  }

  /**
   * Passes over a frame that goes out.
   *
   * @returns whether there is a gap in the timestamps right before it.
   */
  take(duration: Samples): boolean {
    const gap = this.#gap;
    this.#timestamp += duration;
    this.#gap = false;
    return gap;
  }

  /**
   * UTC at which the sample at `timestamp` of this run was captured, on the injected clock; steady
   * to about a millisecond.
   */
  captured(timestamp: Samples): Utc {
    const frame = this.#origin + (timestamp * this.#rate) / SAMPLE_RATE;
    return utc((frame * 1000) / this.#rate + this.#anchor.base);
  }

  #begin(currentFrame: number): Tick {
    this.#starting = false;
    this.#origin = currentFrame;
    this.#timestamp = 0;
    this.#missing = 0;
    this.#gap = false;
    return 'new run';
  }
}
