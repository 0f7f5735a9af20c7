/**
 * Ties a context's own time to the wall clock. Time from an audio context is smooth and may lose
 * time; the wall clock never does, but is read late by whatever held the audio thread up. The
 * smallest difference between the two is the true one, because nothing is ever early.
 */
import { type Millis, millis } from '../shared/time.ts';

/** Differences are kept as the smallest of each stretch of this length, ms. */
const BLOCK = 250;
/** Blocks in which a standstill is looked for: 5 s. */
const WATCHED = 20;
/** Blocks whose smallest difference is the estimate: 4 s. */
const STEADY = 16;
/** Lost within the watched blocks, ms: more than this is a standstill, not drift or lateness. */
const STANDSTILL = 200;
/** A rise of the estimate above this, ms, is time lost; below it is the drift of the device. */
const STEP = 20;
/** The estimate follows a rise by so much a block, ms: 2000 ppm, twice the drift allowed for. */
const SLEW = 0.5;

/**
 * Estimates the wall-clock reading at which a context's time was 0, steady to about a millisecond
 * under drift up to 1000 ppm, bursts up to 60 ms and lateness up to 150 ms, none of which is taken
 * for a standstill. A forward step of the wall clock itself cannot be told from one.
 */
export class WallAnchor {
  /** Smallest differences of the last blocks; Infinity where there is none yet. */
  readonly #blocks = new Float64Array(WATCHED).fill(Number.POSITIVE_INFINITY);
  #next = 0;
  #blockBegan = Number.NaN;
  #smallest = Number.POSITIVE_INFINITY;
  #base = Number.POSITIVE_INFINITY;
  #lost = 0;

  /** Wall-clock reading at context time 0. */
  get base(): number {
    return this.#base;
  }

  /** Time the context has lost against the wall clock since the beginning, drift left out. */
  get lost(): Millis {
    return millis(this.#lost);
  }

  /**
   * Takes one observation: at `wall` the context had captured everything before `time`, both ms.
   *
   * @returns whether the context stood still: it lost more than 200 ms within 5 s. Said once, about
   *   a quarter of a second after it went on, when lateness has had the time to pass.
   */
  observe(time: number, wall: number): boolean {
    const difference = wall - time;
    const over = wall - this.#blockBegan >= BLOCK || wall < this.#blockBegan;
    const stood = over && this.#closeBlock();
    if (over || Number.isNaN(this.#blockBegan)) {
      this.#blockBegan = wall;
      this.#smallest = difference;
    } else if (difference < this.#smallest) this.#smallest = difference;
    if (difference < this.#base) this.#base = difference;
    return stood;
  }

  #closeBlock(): boolean {
    const newest = this.#smallest;
    const loss = newest - this.#smallestOf(WATCHED);
    const stood = loss > STANDSTILL;
    if (stood) {
      this.#blocks.fill(Number.POSITIVE_INFINITY);
      this.#lost += Math.max(0, newest - this.#base);
      this.#base = newest;
    }
    this.#blocks[this.#next] = newest;
    this.#next = (this.#next + 1) % WATCHED;
    const rise = this.#smallestOf(STEADY) - this.#base;
    if (rise > STEP) {
      this.#lost += rise;
      this.#base += rise;
    } else if (rise > 0) this.#base += Math.min(rise, SLEW);
    return stood;
  }

  /** Smallest difference of the newest `count` blocks. */
  #smallestOf(count: number): number {
    let smallest = Number.POSITIVE_INFINITY;
    for (let back = 1; back <= count; back += 1) {
      const block = this.#blocks[(this.#next - back + WATCHED) % WATCHED] as number;
      if (block < smallest) smallest = block;
    }
    return smallest;
  }
}
