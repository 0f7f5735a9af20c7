/**
 * Where a publisher's media clock should be by now, judged by the frames that had the shortest way:
 * of all frames of the last 10 to 20 s the one that was earliest. So jitter does not move the line,
 * a crystal that is off moves it by milliseconds, and a longer path is learned within 20 s.
 */
import { type Millis, millis, millisToSamples, type Samples, samples } from '../../shared/time.ts';

/** How long one bucket of frames collects, ms. */
const COLLECTS = 10_000;

/** The live edge of one stretch, in track time. */
export class LiveEdge {
  #current: Samples;
  #previous: Samples;
  #since: Millis;

  /** At `elapsed`, ms since whenever, all sound before `end` was there. */
  constructor(end: Samples, elapsed: Millis) {
    this.#current = samples(end - millisToSamples(elapsed));
    this.#previous = this.#current;
    this.#since = elapsed;
  }

  /** Enters the end of a frame that arrived at `elapsed`. Time without frames ages nothing. */
  enter(end: Samples, elapsed: Millis): void {
    const lead = samples(end - millisToSamples(elapsed));
    if (elapsed - this.#since >= COLLECTS) {
      this.#previous = this.#current;
      this.#current = lead;
      this.#since = elapsed;
    } else if (lead > this.#current) this.#current = lead;
  }

  /** The end of what should have arrived at `elapsed`, to the sample. */
  at(elapsed: Millis): Samples {
    return samples(Math.max(this.#current, this.#previous) + millisToSamples(elapsed));
  }
}

/** A longer time between two calls than this is a clock that was set, or a machine that slept, ms. */
const LEAP = 5000;
/** Patience runs out no faster, call by call: what waits in our own sockets must come first, ms. */
const PATIENCE_STEP = 200;

/**
 * Time that passes, made from readings of a wall clock that may be set at any moment and of a
 * program that may stand still.
 */
export class PassingTime {
  #now: number | undefined;
  #elapsed = 0;
  #waited = 0;

  /** Reads the clock: backwards counts as nothing, and so does a leap of more than 5 s. */
  pass(now: number): void {
    const step = Math.max(0, now - (this.#now ?? now));
    this.#now = now;
    if (step <= LEAP) this.#elapsed += step;
    this.#waited += Math.min(step, PATIENCE_STEP);
  }

  /** Since the first reading. */
  get elapsed(): Millis {
    return millis(this.#elapsed);
  }

  /** Since `heard`, at most 200 ms a reading. */
  get waited(): Millis {
    return millis(this.#waited);
  }

  /** What was waited for has come. */
  heard(): void {
    this.#waited = 0;
  }
}
