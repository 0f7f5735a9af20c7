/** Puts sound in track time through the AAC encoders and stamps what comes out. */
import { type Samples, samples } from '../../shared/time.ts';
import { type AacCodec, type AacEncoder, DELAY, PRE_ROLL, UNIT } from './aac-encoder.ts';
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
  /** As the encoders are set up, and as long as that is mono, the last blocks they got. */
  #channels: 1 | 2 = 2;
  #recent: Int16Array[] = [];
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
   * Takes interleaved stereo that begins at `at`, and the channels of its source; returns the units
   * that it completes. A source that turns out to be stereo stays so until the stretch is over.
   */
  write(
    pcm: Int16Array,
    { at, channels }: { readonly at: Samples; readonly channels: 1 | 2 },
  ): LadderUnit[] {
    const count = pcm.length / 2;
    // Only pre-roll begins off the grid: what precedes it is not needed.
    let from = this.#lanes.length === 0 ? (UNIT - (at % UNIT)) % UNIT : 0;
    if (this.#lanes.length === 0 && from < count) this.#open(at + from, channels);
    if (channels > this.#channels) this.#widen();
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
    this.#recent = [];
    this.#filled = 0;
  }

  #open(at: number, channels: 1 | 2): void {
    this.#channels = channels;
    this.#lanes = this.#create();
    this.#at = at;
    this.#stamp = at - DELAY;
    this.#first = Math.max(at, this.#from);
  }

  #create(): Lane[] {
    const channels = this.#channels;
    return this.#steps.map(({ bitrate }) => ({
      encoder: this.#codec.create({ bitrate, channels }),
      queue: [],
    }));
  }

  /** Encoders for stereo take over: they have heard the last blocks, and are as far as the old ones. */
  #widen(): void {
    const recent = this.#recent;
    this.#channels = 2;
    const lanes = this.#create();
    for (const [index, { encoder, queue }] of lanes.entries()) {
      const old = this.#lanes[index] as Lane;
      for (const block of recent) queue.push(...encoder.encode(block));
      queue.splice(0, Math.max(0, queue.length - old.queue.length));
      old.encoder.close();
    }
    this.#lanes = lanes;
    this.#recent = [];
  }

  /** Each lane's units of the block. */
  #encodeBlock(): Uint8Array[][] {
    const encode = ({ encoder }: Lane): Uint8Array[] => encoder.encode(this.#block);
    try {
      return this.#lanes.map(encode);
    } catch (error) {
      // What cannot be doubled is encoded as the stereo that it becomes.
      if (this.#channels !== 1 || !(error instanceof RangeError)) throw error;
      this.#widen();
      return this.#lanes.map(encode);
    }
  }

  /** Keeps a copy of the block, in the memory of the one that is too old. */
  #remember(): void {
    const recent = this.#recent;
    const oldest = recent.length < PRE_ROLL ? undefined : recent.shift();
    const kept = oldest ?? new Int16Array(2 * UNIT);
    kept.set(this.#block);
    recent.push(kept);
  }

  #encode(): LadderUnit[] {
    for (const [index, units] of this.#encodeBlock().entries())
      this.#lanes[index]?.queue.push(...units);
    if (this.#channels === 1) this.#remember();
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
