/**
 * A bounded run of frames in the order they were made. Each has an index that grows by one for
 * ever, so a reader is one number (its cursor) and a frame that has gone is simply not found.
 */
import type { FrameHeader } from './frame.ts';
import { type Samples, samples } from './time.ts';

/** Keeps the newest frames up to a duration of media; the oldest go first. */
export class Ring<F extends FrameHeader> {
  readonly #duration: Samples;
  #slots: (F | undefined)[] = new Array(64);
  #held = 0;
  #tail = 0;
  #head = 0;

  constructor({ duration }: { duration: Samples }) {
    this.#duration = duration;
  }

  /** Index of the oldest frame held. */
  get tail(): number {
    return this.#tail;
  }

  /** Index that the next frame will get. */
  get head(): number {
    return this.#head;
  }

  /** Media held, samples. */
  get held(): Samples {
    return samples(this.#held);
  }

  get newest(): F | undefined {
    return this.at(this.#head - 1);
  }

  get oldest(): F | undefined {
    return this.at(this.#tail);
  }

  /** The frame at an index, or undefined when it has gone or is yet to come. */
  at(index: number): F | undefined {
    if (index < this.#tail || index >= this.#head) return undefined;
    return this.#slots[index & (this.#slots.length - 1)];
  }

  /** Appends a frame, which is the newest from now on, and lets go of what is too old. */
  push(frame: F): void {
    if (this.#head - this.#tail === this.#slots.length) this.#grow();
    this.#slots[this.#head & (this.#slots.length - 1)] = frame;
    this.#head += 1;
    this.#held += frame.duration;
    while (this.#held > this.#duration && this.#tail < this.#head - 1) this.#drop();
  }

  /** Lets go of everything; indices go on growing. */
  clear(): void {
    while (this.#tail < this.#head) this.#drop();
  }

  /**
   * Index of the first frame at or after (epoch, sequence), in the order of epochs and sequences;
   * `head` when all are older. The frame itself may be a later one, where some were lost.
   */
  find(epoch: number, sequence: number): number {
    let low = this.#tail;
    let high = this.#head;
    while (low < high) {
      const middle = (low + high) >> 1;
      const frame = this.at(middle) as F;
      const before = frame.epoch < epoch || (frame.epoch === epoch && frame.sequence < sequence);
      if (before) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Media from an index up to the newest frame, samples. */
  mediaFrom(index: number): Samples {
    let media = 0;
    for (let at = Math.max(index, this.#tail); at < this.#head; at += 1)
      media += this.at(at)?.duration ?? 0;
    return samples(media);
  }

  /** Index of the oldest frame that begins at most `span` before the end; the newest at least. */
  behindNewest(span: Samples): number {
    let index = this.#head;
    for (let media = 0; index > this.#tail; index -= 1) {
      media += this.at(index - 1)?.duration ?? 0;
      if (media > span) break;
    }
    return Math.min(index, Math.max(this.#tail, this.#head - 1));
  }

  #drop(): void {
    const slot = this.#tail & (this.#slots.length - 1);
    this.#held -= this.#slots[slot]?.duration ?? 0;
    this.#slots[slot] = undefined;
    this.#tail += 1;
  }

  #grow(): void {
    const larger = new Array<F | undefined>(this.#slots.length * 2);
    for (let index = this.#tail; index < this.#head; index += 1)
      larger[index & (larger.length - 1)] = this.at(index);
    this.#slots = larger;
  }
}
