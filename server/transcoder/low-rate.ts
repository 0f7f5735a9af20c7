/** Opus renditions of fewer bits, encoded from the decoded sound while somebody asks for them. */
import opus from '@discordjs/opus';
import { FRAME_DURATIONS } from '../../shared/frame.ts';
import { opusChannels } from '../../shared/opus.ts';
import { SAMPLE_RATE } from '../../shared/time.ts';
import type { Feed, LowRate, LowRateFrame } from './messages.ts';

/** Frames after which a new encoder sounds like one that has always been running. */
const PRE_ROLL = 8;

type SourceFrame = Extract<Feed, { kind: 'frame' }>;
type Encoder = { readonly rate: LowRate; readonly encoder: opus.OpusEncoder };

/**
 * The low-rate encoders. Each frame of the source becomes one frame of the same duration, so
 * sequence and timestamp carry over.
 */
export class LowRateEncoders {
  readonly #recent: Int16Array[] = [];
  #encoders: Encoder[] = [];
  #channels: 1 | 2 = 1;

  /** From now on exactly these are encoded; the ones that already are go on. */
  set(rates: readonly LowRate[]): void {
    this.#encoders = rates.map(
      (rate) => this.#encoders.find((one) => one.rate.id === rate.id) ?? this.#start(rate),
    );
  }

  /** Encodes a frame; `pcm` is the interleaved stereo it decoded to. */
  write(frame: SourceFrame, pcm: Int16Array): LowRateFrame[] {
    // The native encoder aborts the process on any other length.
    if (!FRAME_DURATIONS.includes(frame.duration)) return [];
    if (opusChannels(frame.packet[0] ?? 0) > this.#channels) this.#widen();
    this.#recent.push(pcm);
    if (this.#recent.length > PRE_ROLL) this.#recent.shift();
    const { at, sequence, timestamp, epoch, duration } = frame;
    return this.#encoders.map(({ rate, encoder }) => ({
      at,
      rendition: rate.id,
      sequence,
      timestamp,
      epoch,
      duration,
      packet: encoder.encode(this.#input(pcm)),
    }));
  }

  /** Another publisher or another run of its clock: what was heard is no pre-roll any more. */
  reset(): void {
    this.#recent.length = 0;
    this.#channels = 1;
    this.#encoders = this.#encoders.map(({ rate }) => this.#start(rate));
  }

  /** The source turns out to be stereo; single packets in mono do not make it mono again. */
  #widen(): void {
    this.#channels = 2;
    this.#encoders = this.#encoders.map(({ rate }) => this.#start(rate));
  }

  #start(rate: LowRate): Encoder {
    const encoder = new opus.OpusEncoder(SAMPLE_RATE, this.#channels);
    encoder.setBitrate(rate.bitrate);
    for (const pcm of this.#recent) encoder.encode(this.#input(pcm));
    return { rate, encoder };
  }

  #input(pcm: Int16Array): Buffer {
    if (this.#channels === 2) return Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    const mono = Int16Array.from(
      { length: pcm.length / 2 },
      (_, index) => pcm[2 * index] as number,
    );
    return Buffer.from(mono.buffer);
  }
}
