/** One frame in, one packet out, for ever: an encoder that is replaced when it traps. */
import { FLAG } from '../shared/frame.ts';
import { opusChannels, opusMode } from '../shared/opus.ts';
import { type Millis, millis, type Samples } from '../shared/time.ts';
import { OpusEncoder } from './opus-codec.ts';
import type { CaptureOptions } from './port.ts';

/** Encodes of one warm-up. */
const WARM_UP = 60;
/** Loss, percent, that in-band FEC is laid out for; libopus writes none when told of no loss. */
const EXPECTED_LOSS = 5;
const MIN_BITRATE = 6000;
const MAX_BITRATE = 510_000;
const NO_PACKET = new Uint8Array(0);

/**
 * Whether a packet of one frame carries in-band FEC. The SILK part begins with a voice flag for each
 * 20 ms and one FEC flag, for each channel, all bits of even odds and so bits of the first byte
 * (RFC 6716 sections 4.2.3 and 4.2.4).
 */
export const carriesFec = (packet: Uint8Array, duration: Samples): boolean => {
  const [toc, first] = packet;
  if (toc === undefined || first === undefined || opusMode(toc) === 'celt') return false;
  const voiceFlags = Math.max(1, duration / 960);
  const middle = (first >> (7 - voiceFlags)) & 1;
  const side = opusChannels(toc) === 2 ? (first >> (6 - 2 * voiceFlags)) & 1 : 0;
  return (middle | side) === 1;
};

/** Encodes frames of a fixed length; knows how long that takes and how often it went wrong. */
export class FrameEncoder {
  readonly #module: WebAssembly.Module;
  readonly #options: Omit<CaptureOptions, 'wasm'>;
  #encoder: OpusEncoder;
  #bitrate: number;
  #replaced = 0;
  readonly #now: () => number;
  #meanTime = millis(0);

  /**
   * Makes the encoder, warms it up and times it, which takes 30 to 150 ms. `now` is a clock in ms of
   * any origin.
   *
   * @throws {RangeError} when libopus refuses an option.
   */
  constructor(
    module: WebAssembly.Module,
    options: Omit<CaptureOptions, 'wasm'>,
    { now }: { readonly now: () => number },
  ) {
    this.#module = module;
    this.#options = options;
    this.#bitrate = options.bitrate;
    this.#encoder = this.#make();
    this.#now = now;
    this.#encoder.warmUp();
    this.time();
  }

  /** Encoders that trapped and were replaced. */
  get replaced(): number {
    return this.#replaced;
  }

  /**
   * Mean time of an encode of 20 ms of noise, taken over 60 in a row. Not measured live: the audio
   * thread has a clock of 1 ms only, and its quanta come in step with it, so that no mean of single
   * encodes is right (0.01 to 0.5 ms where 0.3 is true).
   */
  get meanTime(): Millis {
    return this.#meanTime;
  }

  /** Times the encoder anew, which takes about 15 ms and makes it forget the signal so far. */
  time(): void {
    const began = this.#now();
    try {
      this.#encoder.warmUp();
    } catch {
      this.#replace();
    }
    this.#meanTime = millis((this.#now() - began) / WARM_UP);
  }

  /** Bit/s from the next frame on; clamped to what a rendition may have. */
  set bitrate(bitrate: number) {
    if (!Number.isFinite(bitrate)) return;
    this.#bitrate = Math.min(MAX_BITRATE, Math.max(MIN_BITRATE, Math.round(bitrate)));
    this.#encoder.bitrate = this.#bitrate;
  }

  /** Forgets the signal so far: another run begins. */
  reset(): void {
    this.#encoder.reset();
  }

  /**
   * Encodes one frame of interleaved int16.
   *
   * @returns the packet, a view valid until the next call; empty when two encoders in a row trapped
   *   on the frame.
   */
  encode(pcm: Int16Array): Uint8Array {
    let packet = this.#try(pcm);
    if (packet.length === 0) {
      this.#replace();
      packet = this.#try(pcm);
    }
    return packet;
  }

  /** Flags that the packet itself calls for. */
  flagsOf(packet: Uint8Array): number {
    return carriesFec(packet, this.#options.frame) ? FLAG.fec : 0;
  }

  /** Keeps the broken one where there is no memory for another; the next frame tries again. */
  #replace(): void {
    this.#replaced += 1;
    try {
      this.#encoder = this.#make();
    } catch {}
  }

  #try(pcm: Int16Array): Uint8Array {
    try {
      this.#encoder.pcm.set(pcm);
      return this.#encoder.encode(this.#options.frame);
    } catch {
      return NO_PACKET;
    }
  }

  #make(): OpusEncoder {
    const { channels, application, complexity, fec } = this.#options;
    return new OpusEncoder(this.#module, {
      channels,
      application,
      bitrate: this.#bitrate,
      complexity,
      fec,
      loss: fec ? EXPECTED_LOSS : 0,
      signal: application === 'voip' ? 'voice' : 'auto',
    });
  }
}
