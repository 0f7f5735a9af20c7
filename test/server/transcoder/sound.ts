/** Sound for the transcoder's tests: a publisher's frames, pieces of them, and what AAC decodes to. */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import opus from '@discordjs/opus';
import type { AccessUnit, Piece } from '../../../server/packager/track.ts';
import type { LowRateFrame } from '../../../server/transcoder/messages.ts';
import type { LoudnessReading } from '../../../server/transcoder/meters.ts';
import {
  ChildTranscoder,
  type TranscoderOptions,
  type TranscoderSink,
} from '../../../server/transcoder/transcoder.ts';
import type { Frame } from '../../../shared/frame.ts';
import { samples, utc } from '../../../shared/time.ts';

/** Where the tests' first stretch begins: any multiple of a segment. */
export const BEGIN = 184_320 * 5;

/** Mono sound within ±1 as the frames of a publisher. */
export const publish = (
  sound: Float32Array,
  { channels = 2, duration = 960, bitrate = 128_000, epoch = 0 } = {},
): Frame[] => {
  const encoder = new opus.OpusEncoder(48_000, channels);
  encoder.setBitrate(bitrate);
  return Array.from({ length: Math.floor(sound.length / duration) }, (_, sequence) => {
    const pcm = new Int16Array(duration * channels);
    for (let index = 0; index < pcm.length; index += 1)
      pcm[index] = Math.round(32_767 * sound[sequence * duration + Math.floor(index / channels)]!);
    const packet = encoder.encode(Buffer.from(pcm.buffer));
    return {
      flags: 0,
      rendition: 0,
      duration: samples(duration),
      sequence,
      epoch,
      timestamp: samples(sequence * duration),
      packet,
      bytes: packet,
    };
  });
};

/** The same frame with another packet. */
export const withPacket = (frame: Frame, packet: Uint8Array): Frame => ({ ...frame, packet });

/** A stretch's first piece. */
export const stretch = (at: number): Piece => ({
  kind: 'discontinuity',
  at: samples(at),
  utc: utc(at / 48),
});

/** Frames, one after the other, from `at` on. */
export const framesFrom = (at: number, frames: readonly Frame[]): Piece[] => {
  let next = at;
  return frames.map((frame) => {
    const piece: Piece = { kind: 'frame', at: samples(next), frame };
    next += frame.duration;
    return piece;
  });
};

/** A length of silence. */
export const silence = (at: number, duration: number): Piece => ({
  kind: 'silence',
  at: samples(at),
  duration: samples(duration),
});

/** What the untouched frames decode to, left channel. */
export const decodeOpus = (packets: readonly Uint8Array[]): Float32Array => {
  const decoder = new opus.OpusEncoder(48_000, 2);
  const parts = packets.map((packet) => decoder.decode(Buffer.from(packet)));
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length / 4, 0));
  let index = 0;
  for (const part of parts)
    for (let byte = 0; byte < part.length; byte += 4)
      out[index++] = part.readInt16LE(byte) / 32_768;
  return out;
};

const adtsHeader = (length: number, channels: number): Uint8Array => {
  const full = length + 7;
  const rest = [(full >> 3) & 255, ((full & 7) << 5) | 31, 0xfc];
  return Uint8Array.of(0xff, 0xf1, 0x4c, (channels << 6) | (full >> 11), ...rest);
};

/** What ffmpeg makes of AAC units of so many channels, interleaved floats as bytes. */
export const decodeUnits = (units: readonly Uint8Array[], channels: 1 | 2): Buffer => {
  const input = Buffer.concat(units.flatMap((unit) => [adtsHeader(unit.length, channels), unit]));
  const { stdout, stderr } = spawnSync('ffmpeg', '-v error -f aac -i - -f f32le -'.split(' '), {
    input,
    maxBuffer: 2 ** 30,
  });
  if (stderr.length > 0) throw new Error(stderr.toString());
  return stdout;
};

/** What ffmpeg makes of AAC units: stereo, one array a channel. */
export const decodeAac = (units: readonly AccessUnit[]): readonly [Float32Array, Float32Array] => {
  const stdout = decodeUnits(
    units.map(({ bytes }) => bytes),
    2,
  );
  const count = stdout.length / 8;
  const channels = [new Float32Array(count), new Float32Array(count)] as const;
  for (let index = 0; index < count; index += 1)
    for (const side of [0, 1] as const)
      channels[side][index] = stdout.readFloatLE(8 * index + 4 * side);
  return channels;
};

/** Root mean square of a part, dB. */
export const level = (sound: Float32Array): number =>
  10 * Math.log10(sound.reduce((sum, one) => sum + one * one, 0) / sound.length);

/** A transcoder whose output is kept. */
export class Bench implements TranscoderSink {
  readonly units = new Map<string, AccessUnit[]>();
  readonly frames: LowRateFrame[] = [];
  readonly readings: LoudnessReading[] = [];
  readonly warnings: string[] = [];
  readonly transcoder: ChildTranscoder;

  constructor(options: Partial<TranscoderOptions> = {}) {
    const log = (_: object, sentence?: string): number => this.warnings.push(sentence ?? '');
    this.transcoder = new ChildTranscoder(this, {
      log: { warn: log, error: log } as TranscoderOptions['log'],
      now: () => performance.now(),
      lacksAac: () => this.warnings.push('no AAC'),
      ...options,
    });
  }

  unit(rendition: string, unit: AccessUnit): void {
    const kept = this.units.get(rendition);
    if (kept === undefined) this.units.set(rendition, [unit]);
    else kept.push(unit);
  }

  frame(frame: LowRateFrame): void {
    this.frames.push(frame);
  }

  loudness(reading: LoudnessReading): void {
    this.readings.push(reading);
  }

  of(rendition: string): AccessUnit[] {
    return this.units.get(rendition) ?? [];
  }

  /** Feeds as fast as the child takes it, but not more than 1 s ahead of it. */
  async feed(pieces: readonly Piece[]): Promise<void> {
    for (const piece of pieces) {
      this.transcoder.push(piece);
      while (this.transcoder.behind > 48_000) await sleep(1);
    }
  }

  /** Ends the stretch and waits until `rendition` has that many units. */
  async finish(count: number, rendition = 'aac128'): Promise<void> {
    this.transcoder.end();
    const giveUp = performance.now() + 20_000;
    while (this.of(rendition).length < count && performance.now() < giveUp) await sleep(5);
    // Nothing more than that may come.
    await sleep(50);
  }
}

/** Times of the units that exactly cover the stretches. */
export const covering = (...stretches: readonly (readonly [number, number])[]): number[] =>
  stretches.flatMap(([begin, end]) =>
    Array.from({ length: Math.ceil((end - begin) / 1024) }, (_, index) => begin + 1024 * index),
  );
