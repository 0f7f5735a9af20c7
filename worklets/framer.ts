/**
 * From device quanta to frames: whatever rate and length they come in, frames of a fixed length at
 * 48 kHz go out, int16 as the encoder takes them. 20 ms are seven and a half quanta.
 */
import { SAMPLE_RATE, type Samples } from '../shared/time.ts';
import { PIECE } from './channel-mix.ts';
import { Resampler } from './resampler.ts';

/** Outputs read from the resampler at once. */
const READ = 512;

/** Nearest int16 to a sample, clipped, without dither: Opus is far coarser than the rounding. */
const toInt16 = (sample: number): number => {
  const level = Math.round(sample * 32_768);
  return level > 32_767 ? 32_767 : level < -32_768 ? -32_768 : level;
};

/** Fills one frame after the other. Allocates nothing after it was made. */
export class Framer {
  /** The frame that is being filled, interleaved; whole when `full`, valid until `clear`. */
  readonly pcm: Int16Array;
  readonly #channels: 1 | 2;
  readonly #frame: Samples;
  /** None when the device runs at 48 kHz. */
  readonly #resampler: Resampler | null;
  readonly #media: readonly Float32Array[];
  readonly #nothing: readonly Float32Array[];
  #filled = 0;
  #captured = 0;
  /** Device frames the resampler was given, and the first of them that belongs to this run. */
  #written = 0;
  #first = 0;

  /** `rate` is the device's, Hz; `frame` the length of a frame. */
  constructor(options: {
    readonly rate: number;
    readonly channels: 1 | 2;
    readonly frame: Samples;
  }) {
    const { rate, channels, frame } = options;
    this.#channels = channels;
    this.#frame = frame;
    this.pcm = new Int16Array(channels * frame);
    const plane = (length: number) => () => new Float32Array(length);
    this.#media = Array.from({ length: channels }, plane(READ));
    this.#nothing = Array.from({ length: channels }, plane(PIECE));
    const step = rate / SAMPLE_RATE;
    const capacity = PIECE + Math.ceil(frame * step);
    this.#resampler = step === 1 ? null : new Resampler({ channels, capacity, step });
  }

  /** Whether the frame is whole; nothing more is taken until `clear`. */
  get full(): boolean {
    return this.#filled === this.#frame;
  }

  /** Whether nothing in the frame was captured: it lies in a hole. */
  get hollow(): boolean {
    return this.#captured === 0;
  }

  /**
   * Takes device frames `from` up to, not including, `to` of the encoder's channels, until the frame
   * is full.
   *
   * @returns how many it took.
   */
  write(input: readonly Float32Array[], from: number, to: number): number {
    return this.#write(input, from, to, 1);
  }

  /** Takes up to `count` device frames that were never captured, and returns how many. */
  writeHole(count: number): number {
    return this.#write(this.#nothing, 0, Math.min(count, PIECE), 0);
  }

  /** Makes room for the next frame. */
  clear(): void {
    this.#filled = 0;
    this.#captured = 0;
  }

  /** Begins anew: the next device frame taken is the first sample of a frame. */
  restart(): void {
    this.clear();
    this.#first = this.#written;
  }

  #write(input: readonly Float32Array[], from: number, to: number, weight: 0 | 1): number {
    const resampler = this.#resampler;
    if (resampler === null) {
      const count = Math.min(to - from, this.#frame - this.#filled);
      this.#round(input, from, count, weight);
      return count;
    }
    let at = from;
    while (!this.full) {
      if (this.#drain(resampler, weight)) continue;
      if (at >= to) break;
      const room = Math.min(this.#frame - this.#filled, READ);
      const count = resampler.write(input, at, Math.min(to - at, resampler.needed(room)));
      at += count;
      this.#written += count;
    }
    return at - from;
  }

  /** Moves what the resampler has ready into the frame; says whether there was anything. */
  #drain(resampler: Resampler, weight: 0 | 1): boolean {
    const stale = Math.ceil((this.#first - resampler.position) / resampler.step);
    if (stale > 0) return resampler.read(this.#media, 0, Math.min(stale, READ)) > 0;
    const room = Math.min(this.#frame - this.#filled, READ);
    const count = resampler.read(this.#media, 0, room);
    this.#round(this.#media, 0, count, weight);
    return count > 0;
  }

  #round(input: readonly Float32Array[], from: number, count: number, weight: 0 | 1): void {
    const channels = this.#channels;
    for (let channel = 0; channel < channels; channel += 1) {
      const signal = input[channel] as Float32Array;
      let to = this.#filled * channels + channel;
      for (let index = from; index < from + count; index += 1) {
        this.pcm[to] = toInt16(signal[index] as number);
        to += channels;
      }
    }
    this.#filled += count;
    this.#captured += count * weight;
  }
}
