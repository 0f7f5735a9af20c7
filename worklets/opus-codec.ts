/**
 * libopus on the audio thread: the exports of worklets/opus/binding.c, bound by hand. Everything is
 * synchronous, samples are int16 as in the native codec, and packets and samples equal its, to the
 * bit. Each encoder or decoder is a WebAssembly instance of its own whose memory never grows, so
 * views on it stay valid as long as it lives.
 */
import { MAX_PACKET_BYTES, MAX_PACKET_DURATION } from '../shared/opus.ts';
import { SAMPLE_RATE } from '../shared/time.ts';

/** The longest stretch that one `encode` takes, samples a channel: 60 ms. */
export const MAX_ENCODE_DURATION = 2880;

/** The longest packet that the native codec makes, bytes; the buffers hold as much. */
export const NATIVE_MAX_PACKET_BYTES = 3828;

/** Error codes of libopus that a decoder returns (opus_defines.h). */
export const OPUS_ERROR = {
  badArgument: -1,
  bufferTooSmall: -2,
  internal: -3,
  invalidPacket: -4,
} as const;

const APPLICATION = { voip: 2048, audio: 2049 } as const;
const SIGNAL = { auto: -1000, voice: 3001, music: 3002 } as const;

/** Requests of `opus_encoder_ctl`. */
const CTL = {
  bitrate: 4002,
  vbr: 4006,
  complexity: 4010,
  fec: 4012,
  loss: 4014,
  dtx: 4016,
  signal: 4024,
  lookahead: 4027,
  reset: 4028,
} as const;

type DecoderExports = {
  readonly memory: WebAssembly.Memory;
  /** Addresses of the two buffers. */
  readonly packet: WebAssembly.Global;
  readonly pcm: WebAssembly.Global;
  readonly decoder_init: (channels: number) => number;
  readonly decoder_decode: (bytes: number, samples: number, fec: 0 | 1) => number;
};

type CodecExports = DecoderExports & {
  readonly encoder_init: (channels: number, application: number) => number;
  readonly encoder_encode: (samples: number, maxBytes: number) => number;
  readonly encoder_set: (request: number, value: number) => number;
  readonly encoder_get: (request: number) => number;
};

type Binding<Exports> = {
  readonly exports: Exports;
  readonly packet: Uint8Array;
  readonly pcm: Int16Array;
};

/** Instantiates a module and lays views over its two buffers. */
const bind = <Exports extends DecoderExports>(
  module: WebAssembly.Module,
  pcmLength: number,
): Binding<Exports> => {
  const exports = new WebAssembly.Instance(module).exports as unknown as Exports;
  const { buffer } = exports.memory;
  return {
    exports,
    packet: new Uint8Array(buffer, exports.packet.value, NATIVE_MAX_PACKET_BYTES),
    pcm: new Int16Array(buffer, exports.pcm.value, pcmLength),
  };
};

const demand = (result: number, what: string): void => {
  if (result < 0) throw new RangeError(`libopus refuses ${what} (error ${result}).`);
};

/** How an encoder starts; what has a setter can be changed later. */
export type OpusEncoderOptions = {
  readonly channels: 1 | 2;
  /** `voip` for voice (SILK and hybrid, the only modes with in-band FEC), `audio` for music. */
  readonly application: keyof typeof APPLICATION;
  /** Bit/s, 500 to 512000. */
  readonly bitrate: number;
  /** 0 to 10; 5 costs about half of 10. */
  readonly complexity?: number;
  /** In-band FEC; takes effect only together with an expected loss above 0. */
  readonly fec?: boolean;
  /** Expected packet loss, percent. */
  readonly loss?: number;
  /** Packets of 1 or 2 bytes while nothing is said. */
  readonly dtx?: boolean;
  readonly vbr?: boolean;
  readonly signal?: keyof typeof SIGNAL;
  /**
   * Limit of a packet, bytes. Frames above 20 ms share it out beforehand, so they equal the native
   * codec's only with its limit, which is beyond what skywave.v1 carries.
   */
  readonly maxPacketBytes?: number;
};

/** Opus encoder at 48 kHz. Setters throw a `RangeError` when libopus refuses the value. */
export class OpusEncoder {
  /** Input, interleaved int16; holds MAX_ENCODE_DURATION samples a channel. Write, then `encode`. */
  readonly pcm: Int16Array;
  readonly #exports: CodecExports;
  readonly #packet: Uint8Array;
  readonly #channels: 1 | 2;
  readonly #maxPacketBytes: number;

  /**
   * Instantiates `module`, made of codec.wasm (the decoder-only module has no encoder).
   *
   * @throws {RangeError} when libopus refuses an option; {TypeError} for a module without encoder.
   */
  constructor(module: WebAssembly.Module, options: OpusEncoderOptions) {
    const { channels, application, bitrate, complexity = 10, fec = false, loss = 0 } = options;
    const { dtx = false, vbr = true, signal = 'auto', maxPacketBytes = MAX_PACKET_BYTES } = options;
    const binding = bind<CodecExports>(module, channels * MAX_ENCODE_DURATION);
    this.#exports = binding.exports;
    this.#packet = binding.packet;
    this.pcm = binding.pcm;
    this.#channels = channels;
    this.#maxPacketBytes = maxPacketBytes;
    const result = this.#exports.encoder_init(channels, APPLICATION[application]);
    demand(result, `an encoder of ${channels} channels`);
    this.bitrate = bitrate;
    this.complexity = complexity;
    this.fec = fec;
    this.loss = loss;
    this.dtx = dtx;
    this.vbr = vbr;
    this.signal = signal;
  }

  /** Bit/s. */
  set bitrate(bitrate: number) {
    this.#set(CTL.bitrate, bitrate);
  }

  set complexity(complexity: number) {
    this.#set(CTL.complexity, complexity);
  }

  set fec(on: boolean) {
    this.#set(CTL.fec, on ? 1 : 0);
  }

  /** Expected packet loss, percent. */
  set loss(percent: number) {
    this.#set(CTL.loss, percent);
  }

  set dtx(on: boolean) {
    this.#set(CTL.dtx, on ? 1 : 0);
  }

  set vbr(on: boolean) {
    this.#set(CTL.vbr, on ? 1 : 0);
  }

  set signal(signal: keyof typeof SIGNAL) {
    this.#set(CTL.signal, SIGNAL[signal]);
  }

  /** Samples by which the decoded signal lags behind the input: 312 at 48 kHz. */
  get lookahead(): number {
    return this.#exports.encoder_get(CTL.lookahead);
  }

  /**
   * Encodes the first `duration` samples a channel of `pcm`: 120, 240, 480, 960, 1920 or 2880.
   *
   * @returns the packet, at most `maxPacketBytes`, a view valid until the next call; empty when
   *   `duration` is none of these.
   */
  encode(duration: number): Uint8Array {
    const length = this.#exports.encoder_encode(duration, this.#maxPacketBytes);
    return this.#packet.subarray(0, Math.max(0, length));
  }

  /** Forgets the signal so far and keeps the settings: the next packet is as of a new encoder. */
  reset(): void {
    this.#set(CTL.reset, 0);
  }

  /**
   * Encodes 1.2 s of noise and resets. The first encodes cost several quanta, because the engine
   * compiles on demand; spend 40 to 130 ms here instead, before the node is connected.
   */
  warmUp(): void {
    const duration = SAMPLE_RATE / 50;
    let seed = 1;
    for (let frame = 0; frame < 60; frame += 1) {
      for (let index = 0; index < duration * this.#channels; index += 1) {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0;
        this.pcm[index] = seed >> 18;
      }
      this.encode(duration);
    }
    this.pcm.fill(0);
    this.reset();
  }

  #set(request: number, value: number): void {
    demand(this.#exports.encoder_set(request, value), `${value} for request ${request}`);
  }
}

/**
 * Opus decoder at 48 kHz. A call that throws `WebAssembly.RuntimeError` has trapped on a damaged
 * packet and left the state half written: the owner throws the decoder away and makes another.
 */
export class OpusDecoder {
  /** Output, interleaved int16, of the last call; holds MAX_PACKET_DURATION samples a channel. */
  readonly pcm: Int16Array;
  readonly #exports: DecoderExports;
  readonly #packet: Uint8Array;
  readonly #channels: 1 | 2;

  /** Instantiates `module`, made of decoder.wasm or codec.wasm. */
  constructor(module: WebAssembly.Module, options: { readonly channels: 1 | 2 }) {
    const binding = bind<DecoderExports>(module, options.channels * MAX_PACKET_DURATION);
    this.#exports = binding.exports;
    this.#packet = binding.packet;
    this.pcm = binding.pcm;
    this.#channels = options.channels;
    this.reset();
  }

  /**
   * Decodes one packet into `pcm`, whatever its channels.
   *
   * @returns samples a channel, or a negative code of OPUS_ERROR; the decoder can go on after one.
   */
  decode(packet: Uint8Array): number {
    return this.#decode(packet, MAX_PACKET_DURATION, 0);
  }

  /**
   * Decodes the packet before `packet` from the FEC in it, or conceals where it carries none;
   * `duration` is that of the lost stretch in samples, a multiple of 120.
   *
   * @returns `duration`, or a negative code of OPUS_ERROR.
   */
  decodeFec(packet: Uint8Array, duration: number): number {
    return this.#decode(packet, duration, 1);
  }

  /**
   * Conceals a lost stretch of `duration` samples, a multiple of 120 and at most
   * MAX_PACKET_DURATION.
   *
   * @returns `duration`, or a negative code of OPUS_ERROR.
   */
  conceal(duration: number): number {
    return this.#exports.decoder_decode(0, duration, 0);
  }

  /** Forgets the signal so far: the next packet is decoded as by a new decoder. */
  reset(): void {
    demand(this.#exports.decoder_init(this.#channels), `a decoder of ${this.#channels} channels`);
  }

  #decode(packet: Uint8Array, duration: number, fec: 0 | 1): number {
    if (packet.length === 0 || packet.length > NATIVE_MAX_PACKET_BYTES)
      return OPUS_ERROR.invalidPacket;
    this.#packet.set(packet);
    return this.#exports.decoder_decode(packet.length, duration, fec);
  }
}
