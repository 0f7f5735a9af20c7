import { type Content, EDGE } from './playout-content.ts';

/** Length over which sound comes back after a gap or a skip: 40 ms. */
export const RAMP = 1920;

const rise = (share: number): number => 0.5 - 0.5 * Math.cos(Math.PI * share);

/** How sound received joins what was made up before it: a ramp from its level, and a crossfade. */
export class Joint {
  readonly #left = new Float32Array(EDGE);
  readonly #right = new Float32Array(EDGE);
  #fade = 0;
  #level = 1;
  #length = RAMP;
  #done = RAMP;

  /** What is received next begins at `level` and reaches 1 after `length` samples. */
  rampFrom(level: number, length: number): void {
    this.#level = level;
    this.#length = length;
    this.#done = level < 1 ? 0 : length;
  }

  /** Takes the rest of the content away; up to 5 ms of it fade out under what is received next. */
  fadeFrom(content: Content): void {
    this.#fade = Math.min(EDGE, content.ahead);
    for (let k = 0; k < this.#fade; k += 1) {
      this.#left[k] = content.left[content.head + k]!;
      this.#right[k] = content.right[content.head + k]!;
    }
    content.truncate(0);
  }

  /** Shapes `count` samples just received, written from offset `at` on and not yet committed. */
  apply(content: Content, at: number, count: number): void {
    for (let k = 0; k < count && this.#done < this.#length; k += 1) {
      content.scale(at + k, this.#level + (1 - this.#level) * rise(this.#done / this.#length));
      this.#done += 1;
    }
    const fade = Math.min(this.#fade, count);
    for (let k = 0; k < fade; k += 1) {
      const share = rise((k + 0.5) / fade);
      content.scale(at + k, share);
      content.left[at + k]! += (1 - share) * this.#left[k]!;
      content.right[at + k]! += (1 - share) * this.#right[k]!;
    }
    this.#fade = 0;
  }
}
