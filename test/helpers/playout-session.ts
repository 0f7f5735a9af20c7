/** A listener in fake time: real packets in at given moments, quanta out, everything written down. */
import { readFileSync } from 'node:fs';
import { FLAG, type Frame } from '../../shared/frame.ts';
import { type Millis, millis, samples } from '../../shared/time.ts';
import { OpusDecoder, OpusEncoder, type OpusEncoderOptions } from '../../worklets/opus-codec.ts';
import { type Decoder, Playout } from '../../worklets/playout.ts';

const module = new WebAssembly.Module(
  readFileSync(new URL('../../worklets/opus/codec.wasm', import.meta.url)),
);

/** A real decoder. */
export const createDecoder = (): Decoder => new OpusDecoder(module, { channels: 2 });

/** Encodes interleaved stereo into frames of epoch 1. */
export const encode = (
  pcm: Int16Array,
  options: Partial<OpusEncoderOptions> & { readonly duration?: number } = {},
): Frame[] => {
  const { duration = 960, ...rest } = options;
  const encoder = new OpusEncoder(module, {
    channels: 2,
    application: 'audio',
    bitrate: 128_000,
    ...rest,
  });
  const frames: Frame[] = [];
  for (let at = 0; at + duration <= pcm.length / 2; at += duration) {
    encoder.pcm.set(pcm.subarray(2 * at, 2 * (at + duration)));
    const packet = encoder.encode(duration).slice();
    frames.push({
      flags: rest.fec === true ? FLAG.fec : 0,
      rendition: 0,
      duration: samples(duration),
      sequence: frames.length,
      epoch: 1,
      timestamp: samples(at),
      packet,
      bytes: packet,
    });
  }
  return frames;
};

/** What a decoder makes of all frames, left channel, -1 to 1. */
export const decodeAll = (frames: readonly Frame[]): Float32Array => {
  const decoder = createDecoder();
  const last = frames.at(-1)!;
  const output = new Float32Array(last.timestamp + last.duration);
  for (const { packet, timestamp } of frames) {
    const length = decoder.decode(packet);
    for (let k = 0; k < length; k += 1) output[timestamp + k] = decoder.pcm[2 * k]! / 32_768;
  }
  return output;
};

/** How a session is set up. */
export type SessionOptions = {
  readonly deviceRate?: number;
  readonly target?: number;
  readonly createDecoder?: () => Decoder;
};

/** One quantum of the past. */
export type Quantum = {
  readonly now: number;
  readonly position: number;
  readonly phase: Playout['phase'];
};

/** One listener; `now` is the device's clock, ms. */
export class Session {
  readonly playout: Playout;
  readonly deviceRate: number;
  readonly quanta: Quantum[] = [];
  readonly #output: number[] = [];
  readonly #left = new Float32Array(128);
  readonly #right = new Float32Array(128);

  constructor(options: SessionOptions = {}) {
    this.deviceRate = options.deviceRate ?? 48_000;
    this.playout = new Playout({
      createDecoder: options.createDecoder ?? createDecoder,
      deviceRate: this.deviceRate,
      target: millis(options.target ?? 100),
    });
  }

  get now(): Millis {
    return millis((this.quanta.length * 128_000) / this.deviceRate);
  }

  /** Left channel so far. */
  get output(): Float32Array {
    return Float32Array.from(this.#output);
  }

  push(frame: Frame, { live = true }: { live?: boolean } = {}): void {
    this.playout.push(frame, { live, now: this.now });
  }

  pull(): void {
    this.#left.fill(Number.NaN);
    this.#right.fill(Number.NaN);
    const { now } = this;
    this.playout.pull(this.#left, this.#right, now);
    const { position, phase } = this.playout;
    this.quanta.push({ now, position: position.timestamp, phase });
    this.#output.push(...this.#left);
    if (this.#right.some(Number.isNaN)) throw new Error('A quantum was not filled.');
  }

  /** Plays until `end`; each frame comes at the time `arrival` says, in that order, or never (NaN). */
  play(end: number, frames: readonly Frame[], arrival: (frame: Frame) => number): void {
    const due = frames
      .map((frame) => ({ frame, at: arrival(frame) }))
      .filter(({ at }) => at >= this.now && at < end)
      .sort((a, b) => a.at - b.at);
    for (let next = 0; this.now < end; this.pull())
      for (; next < due.length && due[next]!.at <= this.now; next += 1) this.push(due[next]!.frame);
  }
}

/** Arrival with no delay but that a frame is sent when its last sample was captured. */
export const onTime = ({ timestamp, duration }: Frame): number => (timestamp + duration) / 48;

/** Level of a signal. */
export const rms = (signal: Float32Array): number =>
  Math.sqrt(signal.reduce((sum, x) => sum + x * x, 0) / signal.length);

/**
 * By how many media samples the output lies off the position that a quantum claims, judged over four
 * quanta by comparison with `reference`, the decoded media.
 */
export const offset = (
  { output, quanta, deviceRate }: Session,
  quantum: number,
  reference: Float32Array,
): number => {
  const step = 48_000 / deviceRate;
  let best = Number.POSITIVE_INFINITY;
  let found = Number.NaN;
  for (let lag = -96; lag <= 96; lag += 1) {
    let difference = 0;
    for (let k = 0; k < 512; k += 1) {
      const place = quanta[quantum]!.position + lag + k * step;
      const whole = Math.floor(place);
      const low = reference[whole] ?? 0;
      const meant = low + (place - whole) * ((reference[whole + 1] ?? 0) - low);
      difference += (output[quantum * 128 + k]! - meant) ** 2;
    }
    if (difference >= best) continue;
    best = difference;
    found = lag;
  }
  return found;
};
