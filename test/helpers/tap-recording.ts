/** Sound recorded by a tap, and when on the wall clock each of its samples passed. */
import { type Millis, millis, type Utc, utc } from '../../shared/time.ts';

/** The earliest quantum of a block against the wall clock; `frame` counts from the recording's first. */
export type TapMark = {
  readonly frame: number;
  readonly wall: number;
  /** How much later the latest quantum of the block was, ms. */
  readonly spread: number;
};

/** How well samples and wall clock agree. */
export type TapJitter = {
  /** Median and largest distance of the blocks' earliest quanta from the mapping, ms. */
  readonly median: Millis;
  readonly largest: Millis;
  /** Median time from the first to the last quantum's callback, against the frames between, ms. */
  readonly spread: Millis;
  /** By how much the context fell behind the wall clock from beginning to end: underruns, drift. */
  readonly lost: Millis;
};

/** Half the time over which the lower envelope is taken, ms: a hundred callbacks in all. */
const REACH = 500;

const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

export class TapRecording {
  readonly rate: number;
  /** The context's number of the first sample. */
  readonly firstFrame: number;
  /** Mono; what the context skipped is silence. */
  readonly pcm: Float32Array<ArrayBuffer>;
  /** Quanta that the context skipped; Chromium skips none, it renders them late and at once. */
  readonly missed: number;
  /** Times that the loudspeaker had nothing to play; NaN where the browser does not tell. */
  readonly underruns: number;
  readonly #marks: readonly { readonly at: number; readonly offset: number }[];
  readonly #spreads: readonly number[];

  constructor({
    rate,
    firstFrame,
    pcm,
    marks,
    missed,
    underruns,
  }: {
    readonly rate: number;
    readonly firstFrame: number;
    readonly pcm: Float32Array<ArrayBuffer>;
    readonly marks: readonly TapMark[];
    readonly missed: number;
    readonly underruns: number;
  }) {
    this.rate = rate;
    this.firstFrame = firstFrame;
    this.pcm = pcm;
    this.missed = missed;
    this.underruns = underruns;
    this.#marks = marks.map(({ frame, wall }) => {
      const at = (frame / rate) * 1000;
      return { at, offset: wall - at };
    });
    this.#spreads = marks.map(({ spread }) => spread);
  }

  /**
   * When the sound at `position` (ms from the first sample) passed the tap. Quanta are rendered in
   * bursts and late under load, never early, so the lower envelope of the callbacks is the clock;
   * it is taken over a second, so that it follows a context that lost time.
   */
  wallAt(position: Millis): Utc {
    return utc(position + this.#offsetAt(position));
  }

  /** When the first sample beyond `level` passed the tap; undefined if all is silence. */
  firstSound(level = 0.002): Utc | undefined {
    const index = this.pcm.findIndex((sample) => Math.abs(sample) > level);
    return index === -1 ? undefined : this.wallAt(millis((index / this.rate) * 1000));
  }

  get jitter(): TapJitter {
    const errors = this.#marks.map(({ at, offset }) => Math.abs(offset - this.#offsetAt(at)));
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    const lost = first && last ? this.#offsetAt(last.at) - this.#offsetAt(first.at) : 0;
    return {
      median: millis(medianOf(errors)),
      largest: millis(Math.max(0, ...errors)),
      spread: millis(medianOf(this.#spreads)),
      lost: millis(lost),
    };
  }

  #offsetAt(position: number): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const { at, offset } of this.#marks)
      if (Math.abs(at - position) <= REACH && offset < lowest) lowest = offset;
    if (lowest < Number.POSITIVE_INFINITY) return lowest;
    throw new RangeError(`Nothing was recorded near ${position} ms.`);
  }
}
