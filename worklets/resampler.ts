import { designKernel, type Kernel, PHASES } from './resampler-kernel.ts';

/** Steps within this of the kernel's own do not need another. */
const TOLERANCE = 0.005;

/** What a resampler is made with. */
export type ResamplerOptions = {
  readonly channels: number;
  /** Unread input it can hold, samples a channel. */
  readonly capacity: number;
  /** Input samples per output sample. */
  readonly step?: number;
};

/**
 * Changes the sampling rate by any ratio, also a slowly changing one: a windowed sinc of 32 taps and
 * more, 256 phases, linear between. Images and aliases of what lies in the pass band stay 80 dB down.
 */
export class Resampler {
  readonly #inputs: readonly Float32Array[];
  readonly #room: number;
  #kernel: Kernel;
  #step: number;
  #end: number;
  #at: number;
  #origin = 0;

  constructor({ channels, capacity, step = 1 }: ResamplerOptions) {
    this.#step = step;
    this.#kernel = designKernel(step);
    // Room for the widest kernel of a change of rate later, and not to move the rest on every write.
    this.#room = 2 * capacity + 1024;
    this.#inputs = Array.from({ length: channels }, () => new Float32Array(this.#room));
    this.#at = 512;
    this.#end = 512;
    this.#origin = -512;
  }

  /** Input samples per output sample, within 1/256 to 10. */
  get step(): number {
    return this.#step;
  }

  /** May change at any time. Only a change beyond 0.5 % of the rate designs a filter and allocates. */
  set step(step: number) {
    this.#step = step;
    if (Math.abs(step / this.#kernel.step - 1) <= TOLERANCE) return;
    this.#kernel = designKernel(step);
  }

  /** Input samples that must be in hand beyond the one an output sample stands for. */
  get latency(): number {
    return this.#kernel.taps / 2;
  }

  /** Input sample, counted from the first written, that the next output sample stands for. */
  get position(): number {
    return this.#origin + this.#at;
  }

  /** Takes `count` samples a channel; returns how many there was room for. */
  write(input: readonly Float32Array[], from: number, count: number): number {
    if (this.#end + count > this.#room) this.#compact();
    const length = Math.min(count, this.#room - this.#end);
    for (let channel = 0; channel < this.#inputs.length; channel += 1) {
      const source = input[channel]!;
      const target = this.#inputs[channel]!;
      for (let k = 0; k < length; k += 1) target[this.#end + k] = source[from + k]!;
    }
    this.#end += length;
    return length;
  }

  /** Output samples that can be read now. */
  available(): number {
    return Math.max(0, Math.ceil((this.#end - this.latency - this.#at) / this.#step));
  }

  /** Further input samples required before `outputs` can be read. */
  needed(outputs: number): number {
    if (outputs <= 0) return 0;
    const last = Math.floor(this.#at + (outputs - 1) * this.#step);
    return Math.max(0, last + this.latency + 1 - this.#end);
  }

  /** Fills up to `count` samples a channel from `from` on; returns how many. */
  read(output: readonly Float32Array[], from: number, count: number): number {
    const length = Math.min(count, this.available());
    for (let channel = 0; channel < this.#inputs.length; channel += 2) {
      const second = channel + 1 < this.#inputs.length ? channel + 1 : channel;
      const first = this.#inputs[channel]!;
      this.#filter(first, this.#inputs[second]!, output[channel]!, output[second]!, from, length);
    }
    this.#at += length * this.#step;
    return length;
  }

  /** Two channels at once, because working out the taps costs as much as applying them. */
  #filter(
    left: Float32Array,
    right: Float32Array,
    outputLeft: Float32Array,
    outputRight: Float32Array,
    from: number,
    count: number,
  ): void {
    const { rows, taps } = this.#kernel;
    const before = taps / 2 - 1;
    const step = this.#step;
    const start = this.#at;
    for (let k = 0; k < count; k += 1) {
      const at = start + k * step;
      const whole = Math.floor(at);
      const phase = (at - whole) * PHASES;
      const share = phase - Math.floor(phase);
      const row = Math.floor(phase) * taps;
      const first = whole - before;
      let l0 = 0;
      let l1 = 0;
      let r0 = 0;
      let r1 = 0;
      for (let tap = 0; tap < taps; tap += 2) {
        const low0 = rows[row + tap]!;
        const low1 = rows[row + tap + 1]!;
        const weight0 = low0 + share * (rows[row + taps + tap]! - low0);
        const weight1 = low1 + share * (rows[row + taps + tap + 1]! - low1);
        l0 += weight0 * left[first + tap]!;
        r0 += weight0 * right[first + tap]!;
        l1 += weight1 * left[first + tap + 1]!;
        r1 += weight1 * right[first + tap + 1]!;
      }
      outputLeft[from + k] = l0 + l1;
      outputRight[from + k] = r0 + r1;
    }
  }

  #compact(): void {
    const shift = Math.min(Math.floor(this.#at), this.#end) - 512;
    if (shift <= 0) return;
    for (let channel = 0; channel < this.#inputs.length; channel += 1)
      this.#inputs[channel]!.copyWithin(0, shift, this.#end);
    this.#at -= shift;
    this.#end -= shift;
    this.#origin += shift;
  }
}
