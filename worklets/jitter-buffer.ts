import { type Frame, frameEnd } from '../shared/frame.ts';
import { type Samples, samples } from '../shared/time.ts';

/** Media held at most, between the oldest frame's first sample and the newest's last: 16 s. */
export const MAX_HELD = samples(16 * 48_000);

/** A power of two, and more frames than 16 s hold at 2.5 ms each. */
const SLOTS = 8192;

/** What became of a frame that was offered. */
export type Admission = 'kept' | 'duplicate' | 'late';

/**
 * Frames of one epoch in order of sequence, at most 16 s of media; where there is more, the oldest
 * go. Nothing here knows the time.
 */
export class JitterBuffer {
  readonly #slots: (Frame | undefined)[] = new Array(SLOTS).fill(undefined);
  #next: number | undefined;
  #first = 0;
  #end = 0;
  #count = 0;
  #overflowed = 0;

  /** Sequence that is played next; undefined until there is a frame. */
  get next(): number | undefined {
    return this.#next;
  }

  /** Frames in hand. */
  get length(): number {
    return this.#count;
  }

  /** Frames dropped because there were too many. */
  get overflowed(): number {
    return this.#overflowed;
  }

  /** Oldest frame in hand. */
  get first(): Frame | undefined {
    return this.#count === 0 ? undefined : this.#at(this.#first);
  }

  /** Newest frame in hand. */
  get last(): Frame | undefined {
    return this.#count === 0 ? undefined : this.#at(this.#end - 1);
  }

  /** Timestamp after the newest frame in hand; 0 when there is none. */
  get newestEnd(): Samples {
    const last = this.last;
    return last === undefined ? samples(0) : frameEnd(last);
  }

  insert(frame: Frame): Admission {
    const { sequence } = frame;
    if (this.#next !== undefined && sequence < this.#next) return 'late';
    if (this.#count === 0) {
      this.#first = sequence;
      this.#end = sequence + 1;
    } else {
      while (this.#count > 0 && sequence - this.#first >= SLOTS) this.#overflow();
      if (this.#count === 0) return this.insert(frame);
      if (this.#end - sequence > SLOTS) return 'late';
      if (this.#at(sequence)?.sequence === sequence) return 'duplicate';
      this.#first = Math.min(this.#first, sequence);
      this.#end = Math.max(this.#end, sequence + 1);
    }
    this.#slots[sequence % SLOTS] = frame;
    this.#count += 1;
    this.#next ??= sequence;
    while (this.#count > 1 && this.newestEnd - this.first!.timestamp > MAX_HELD) this.#overflow();
    return 'kept';
  }

  /** Removes the oldest frame; the one after it is next. */
  shift(): Frame | undefined {
    const frame = this.first;
    if (frame === undefined) return undefined;
    this.#slots[this.#first % SLOTS] = undefined;
    this.#count -= 1;
    this.#first += 1;
    this.#next = this.#first;
    while (this.#count > 0 && this.#at(this.#first) === undefined) this.#first += 1;
    return frame;
  }

  /** Gives a sequence up for lost; a frame with it is late from now on. */
  pass(): void {
    if (this.#next !== undefined) this.#next += 1;
  }

  /** Forgets frames and sequence. */
  clear(): void {
    this.#slots.fill(undefined);
    this.#count = 0;
    this.#next = undefined;
  }

  #at(sequence: number): Frame | undefined {
    return this.#slots[sequence % SLOTS];
  }

  #overflow(): void {
    this.shift();
    this.#next = this.#count > 0 ? this.#first : this.#next;
    this.#overflowed += 1;
  }
}
