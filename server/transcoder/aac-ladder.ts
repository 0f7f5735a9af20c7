/** Puts sound in track time through the AAC encoders and stamps what comes out. */
import { type Samples, samples } from '../../shared/time.ts';
import { type AacCodec, type AacEncoder, DELAY, UNIT } from './aac-encoder.ts';
import type { LadderStep, LadderUnit } from './messages.ts';

/** Blocks of zeros after which every encoder has given all that it held. */
const MOST_FLUSH = 8;

type Lane = { readonly encoder: AacEncoder; readonly queue: Uint8Array[] };

/**
 * All renditions of a ladder in step. Units begin at multiples of 1024 in track time, as stretches
 * do. A unit is stamped at the time of the sound it holds: the encoder's delay is taken off.
 */
export class AacLadder {
  readonly #codec: AacCodec;
  readonly #steps: readonly LadderStep[];
  readonly #from: Samples;
  readonly #block = new Int16Array(2 * UNIT);
  #lanes: Lane[] = [];
  #filled = 0;
  /** Track time of the first sample of the block that is being filled. */
  #at = 0;
  /** Where the next unit that comes out of the encoders belongs. */
  #stamp = 0;
  /** Units before this are the encoder's priming, or pre-roll. */
  #first = 0;

  /** Units before `from` are not wanted. */
  constructor(
    codec: AacCodec,
    { ladder, from }: { readonly ladder: readonly LadderStep[]; readonly from: Samples },
  ) {
    this.#codec = codec;
    this.#steps = ladder;
    this.#from = from;
  }

  /**
   * Takes interleaved stereo that begins at `at`; returns the units that it completes. `channels` of
   * its source count where a stretch begins: the encoders are set up for them.
   */
  write(pcm: Int16Array, at: Samples, channels: 1 | 2): LadderUnit[] {
    const count = pcm.length / 2;
    // Only pre-roll begins off the grid: what precedes it is not needed.
    let from = this.#lanes.length === 0 ? (UNIT - (at % UNIT)) % UNIT : 0;
    if (this.#lanes.length === 0 && from < count) this.#open(at + from, channels);
    const units: LadderUnit[] = [];
    while (from < count) {
      const to = Math.min(count, from + UNIT - this.#filled);
      this.#block.set(pcm.subarray(2 * from, 2 * to), 2 * this.#filled);
      this.#filled += to - from;
      from = to;
      if (this.#filled === UNIT) units.push(...this.#encode());
    }
    return units;
  }

  /** The stretch is over: returns the units that the encoders still hold, and frees them. */
  end(): LadderUnit[] {
    const units: LadderUnit[] = [];
    if (this.#lanes.length > 0) {
      const last = this.#at + (this.#filled > 0 ? UNIT : 0);
      for (let block = 0; this.#stamp < last; block += 1) {
        if (block > MOST_FLUSH) throw new Error(`${this.#codec.name} keeps what it was given.`);
        this.#block.fill(0, 2 * this.#filled);
        units.push(...this.#encode().filter(({ at }) => at < last));
      }
    }
    this.close();
    return units;
  }

  close(): void {
    for (const { encoder } of this.#lanes) encoder.close();
    this.#lanes = [];
    this.#filled = 0;
  }

  #open(at: number, channels: 1 | 2): void {
    this.#lanes = this.#steps.map(({ bitrate }) => ({
      encoder: this.#codec.create({ bitrate, channels }),
      queue: [],
    }));
    this.#at = at;
    this.#stamp = at - DELAY;
    this.#first = Math.max(at, this.#from);
  }

  #encode(): LadderUnit[] {
    for (const { encoder, queue } of this.#lanes) queue.push(...encoder.encode(this.#block));
    this.#filled = 0;
    this.#at += UNIT;
    const units: LadderUnit[] = [];
    while (this.#lanes.every(({ queue }) => queue.length > 0)) {
      const bytes = this.#lanes.map(({ queue }) => queue.shift() as Uint8Array);
      if (this.#stamp >= this.#first) units.push({ at: samples(this.#stamp), bytes });
      this.#stamp += UNIT;
    }
    return units;
  }
}
