/** What the child does with the sound: decode it once, then measure it and encode it anew. */
import { opusChannels } from '../../shared/opus.ts';
import { type Samples, samples } from '../../shared/time.ts';
import type { AacCodec } from './aac-encoder.ts';
import { AacLadder } from './aac-ladder.ts';
import { LowRateEncoders } from './low-rate.ts';
import type { Feed, LadderStep, LadderUnit, LowRate, LowRateFrame, Outcome } from './messages.ts';
import { type Block, BlockMeter } from './meters.ts';
import { PieceDecoder } from './piece-decoder.ts';

/** Under way: the same as an outcome, still growing. */
type Yield = {
  until: Samples;
  readonly units: LadderUnit[];
  readonly frames: LowRateFrame[];
  readonly blocks: Block[];
  readonly corrupt: Samples[];
};

/** One channel's sound, from pieces to everything that is made of it. */
export class Transcoding {
  readonly #ladder: AacLadder | undefined;
  readonly #decoder = new PieceDecoder();
  readonly #meter = new BlockMeter();
  readonly #lowRates = new LowRateEncoders();

  /** Without a codec there are no units. */
  constructor(
    codec: AacCodec | undefined,
    options: { readonly ladder: readonly LadderStep[]; readonly from: Samples },
  ) {
    this.#ladder = codec && new AacLadder(codec, options);
  }

  setLowRates(rates: readonly LowRate[]): void {
    this.#lowRates.set(rates);
  }

  /** Takes pieces, each where the one before ended. */
  feed(pieces: readonly Feed[]): Outcome {
    const made: Yield = { until: samples(0), units: [], frames: [], blocks: [], corrupt: [] };
    for (const piece of pieces) {
      this.#take(piece, made);
      made.until = samples(piece.at + piece.duration);
    }
    return { kind: 'outcome', ...made };
  }

  #take(piece: Feed, made: Yield): void {
    switch (piece.kind) {
      case 'discontinuity':
        this.#end(made);
        this.#decoder.reset();
        this.#lowRates.reset();
        return;
      case 'end':
        this.#end(made);
        return;
      case 'silence':
        this.#sound(this.#decoder.silence(piece.duration), { at: piece.at, channels: 1 }, made);
        return;
      case 'frame': {
        const { pcm, intact } = this.#decoder.frame(piece.packet, piece.duration);
        if (!intact) made.corrupt.push(piece.at);
        made.frames.push(...this.#lowRates.write(piece, pcm));
        // A corrupt packet says nothing of its source.
        const channels = intact ? opusChannels(piece.packet[0] ?? 0) : 1;
        this.#sound(pcm, { at: piece.at, channels }, made);
      }
    }
  }

  #sound(pcm: Int16Array, source: { at: Samples; channels: 1 | 2 }, made: Yield): void {
    made.blocks.push(...this.#meter.write(pcm, source.at));
    if (this.#ladder !== undefined) made.units.push(...this.#ladder.write(pcm, source));
  }

  #end(made: Yield): void {
    if (this.#ladder !== undefined) made.units.push(...this.#ladder.end());
    this.#meter.skip();
  }
}
