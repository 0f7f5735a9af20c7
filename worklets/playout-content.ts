import { Timeline } from './playout-timeline.ts';

/** Played samples that stay readable behind the head: the longest jump back, and a crossfade. */
export const HISTORY = 2400;

/** Length of the edge with which sound stops or is joined: 5 ms. */
export const EDGE = 240;

const CAPACITY = 16_384;
const SCALE = 1 / 32_768;

/**
 * Decoded stereo at 48 kHz that waits to be played, with what was just played still behind it, and
 * the media position of every sample. The arrays are open to the time-stretch, which edits in place;
 * offsets into them hold until the next `reserve`.
 */
export class Content {
  readonly left = new Float32Array(CAPACITY);
  readonly right = new Float32Array(CAPACITY);
  readonly #timeline = new Timeline();
  #origin = -HISTORY;
  #head: number = HISTORY;
  #end: number = HISTORY;
  #quiet = true;

  /** Offset of the next sample to be played. */
  get head(): number {
    return this.#head;
  }

  /** True when silence would follow silence. */
  get quiet(): boolean {
    return this.#quiet;
  }

  /** Samples that wait. */
  get ahead(): number {
    return this.#end - this.#head;
  }

  /** Running index of the next sample to be played; splices move it by their jump. */
  get index(): number {
    return this.#origin + this.#head;
  }

  /** Media position of the sample with that running index. */
  positionAt(index: number): number {
    return this.#timeline.at(index);
  }

  /** Makes room and returns the offset at which `count` samples may be written, then committed. */
  reserve(count: number): number {
    if (this.#end + count > CAPACITY) {
      const shift = this.#head - HISTORY;
      this.left.copyWithin(0, shift, this.#end);
      this.right.copyWithin(0, shift, this.#end);
      this.#origin += shift;
      this.#head -= shift;
      this.#end -= shift;
    }
    return this.#end;
  }

  /** Writes interleaved 16-bit samples, from the pcm's `from` on, to offset `at`. */
  write(at: number, pcm: Int16Array, from: number, count: number): void {
    for (let k = 0; k < count; k += 1) {
      this.left[at + k] = pcm[2 * (from + k)]! * SCALE;
      this.right[at + k] = pcm[2 * (from + k) + 1]! * SCALE;
    }
  }

  /** Multiplies the sample at offset `at`. */
  scale(at: number, gain: number): void {
    this.left[at]! *= gain;
    this.right[at]! *= gain;
  }

  /** Adds what was written: media from `position` on, or (`slope` 0) sound during which none passes. */
  commit(count: number, position: number, slope: 0 | 1): void {
    this.#timeline.continue(this.#origin + this.#end, position, slope);
    this.#end += count;
    this.#quiet = false;
  }

  /**
   * Adds silence. From sound it goes over by 5 ms of the sound's own mirror image fading away, not by
   * a step; from silence it is digital zero.
   */
  silence(count: number, position: number, slope: 0 | 1): void {
    const at = this.reserve(count);
    this.left.fill(0, at, at + count);
    this.right.fill(0, at, at + count);
    const edge = this.#quiet ? 0 : Math.min(EDGE, count);
    for (let k = 0; k < edge; k += 1) {
      const gain = 0.5 + 0.5 * Math.cos((Math.PI * (k + 1)) / (edge + 1));
      this.left[at + k] = gain * this.left[at - 1 - k]!;
      this.right[at + k] = gain * this.right[at - 1 - k]!;
    }
    this.commit(count, position, slope);
    this.#quiet = true;
  }

  /** The last that was added has faded to nothing, so that silence may follow as it is. */
  hush(): void {
    this.#quiet = true;
  }

  /** Drops what waits beyond the next `ahead` samples. */
  truncate(ahead: number): void {
    if (this.ahead <= ahead) return;
    this.#end = this.#head + ahead;
    this.#quiet = false;
  }

  /** Moves the head by a jump; the caller vouches that it stays within history and content. */
  jump(distance: number): void {
    this.#head += distance;
  }

  /** Copies up to `count` samples out and returns how many. */
  read(left: Float32Array, right: Float32Array, count: number): number {
    const length = Math.min(count, this.ahead);
    const head = this.#head;
    for (let k = 0; k < length; k += 1) {
      left[k] = this.left[head + k]!;
      right[k] = this.right[head + k]!;
    }
    this.#head += length;
    return length;
  }
}
