import type { Content } from './playout-content.ts';
import { FADE, LEAST_JUMP, MOST_JUMP, SpliceSearch } from './time-stretch-search.ts';

/** Debt that makes a splice due: 5 ms. */
const DUE = LEAST_JUMP;
/** Below this likeness it is worth waiting for a better place, 10 ms at a time, four times. */
const ALIKE = 0.7;
const WAIT = 480;
const MOST_WAITS = 4;
/** From so much debt on there is no time to wait; 5 % never owes as much, 25 % on noise does. */
const PRESSING = MOST_JUMP;

const FADE_IN = Float64Array.from(
  { length: FADE },
  (_, k) => 0.5 - 0.5 * Math.cos((Math.PI * (k + 0.5)) / FADE),
);

/**
 * Plays content faster or slower without a change of pitch: samples pass untouched, and now and then
 * 5 to 20 ms are left out or repeated where the sound is most alike (WSOLA, spliced sparsely). Good
 * for a pace up to 0.6: splices never overlap, so 10 ms of sound pay for at least 5 ms.
 */
export class TimeStretch {
  readonly #content: Content;
  readonly #search = new SpliceSearch();
  readonly #mixed = [new Float32Array(FADE), new Float32Array(FADE)] as const;
  #pace = 0;
  #debt = 0;
  #waits = 0;
  #wait = 0;
  #jumped = 0;
  #splices = 0;

  constructor(content: Content) {
    this.#content = content;
  }

  /** Share of media left out (positive) or repeated (negative); 0 lets everything pass. */
  get pace(): number {
    return this.#pace;
  }

  /** A change of direction forgives the debt, so that no splice is answered by one back. */
  set pace(pace: number) {
    if (Math.sign(pace) !== Math.sign(this.#pace)) {
      this.#debt = 0;
      this.#waits = 0;
      this.#wait = 0;
    }
    this.#pace = pace;
  }

  /** Content that should lie ahead for the next read to splice; 0 when no splice is due. */
  get wanted(): number {
    if (!this.#due) return 0;
    return this.#pace > 0 ? MOST_JUMP + FADE : FADE;
  }

  /** Media jumped over just before what the last read returned; negative: repeated, 0: no splice. */
  get jumped(): number {
    return this.#jumped;
  }

  /** Splices made so far. */
  get splices(): number {
    return this.#splices;
  }

  /** Copies up to `count` samples out, all from one stretch of content; returns how many. */
  read(left: Float32Array, right: Float32Array, count: number): number {
    this.#jumped = 0;
    if (this.#due && this.#content.ahead >= this.wanted) this.#splice();
    const length = this.#content.read(left, right, count);
    this.#debt += this.#pace * length;
    this.#wait = Math.max(0, this.#wait - length);
    return length;
  }

  get #due(): boolean {
    return this.#wait === 0 && this.#debt * Math.sign(this.#pace) >= DUE;
  }

  #splice(): void {
    this.#search.run(this.#content, this.#pace > 0 ? 1 : -1);
    const { jump, likeness } = this.#search;
    const pressing = Math.abs(this.#debt) >= PRESSING;
    if (likeness < ALIKE && this.#waits < MOST_WAITS && !pressing) {
      this.#waits += 1;
      this.#wait = WAIT;
      return;
    }
    this.#waits = 0;
    this.#wait = FADE;
    this.#crossfade(jump, likeness);
    this.#content.jump(jump);
    this.#debt -= jump;
    this.#jumped = jump;
    this.#splices += 1;
  }

  /** Fades from the head into a jump away, in place there; both channels alike. */
  #crossfade(jump: number, likeness: number): void {
    const { head, left, right } = this.#content;
    const [mixedLeft, mixedRight] = this.#mixed;
    const there = head + jump;
    for (let k = 0; k < FADE; k += 1) {
      const w = FADE_IN[k]!;
      const v = 1 - w;
      const gain = 1 / Math.sqrt(v * v + w * w + 2 * likeness * v * w);
      mixedLeft[k] = gain * (v * left[head + k]! + w * left[there + k]!);
      mixedRight[k] = gain * (v * right[head + k]! + w * right[there + k]!);
    }
    for (let k = 0; k < FADE; k += 1) {
      left[there + k] = mixedLeft[k]!;
      right[there + k] = mixedRight[k]!;
    }
  }
}
