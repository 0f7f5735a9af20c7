/**
 * AAC-LC encoders of FFmpeg through node-av, which is optional. Every encoder here delays its input
 * by 2048 samples, so that they are interchangeable within a stream.
 */
import type { CodecContext } from 'node-av/lib';
import { SAMPLE_RATE } from '../../shared/time.ts';
import type { AacName } from './messages.ts';

/** Samples in an access unit. */
export const UNIT = 1024;

/** Samples by which the output is later than the input. */
export const DELAY = 2048;

/** Units of pre-roll after which a new encoder sounds as if it had always run. */
export const PRE_ROLL = 24;

/** AudioSpecificConfig of all that is encoded here: AAC-LC, 48 kHz, stereo (ISO 14496-3, 1.6.2.1). */
export const AUDIO_SPECIFIC_CONFIG: Uint8Array = Uint8Array.of(0x11, 0x90);

/** Priming that FFmpeg's encoders have of their own, samples. */
const PRIMING: Record<AacName, number> = { libfdk_aac: 2048, aac: 1024 };

/**
 * From so many bit/s for each channel of the source on, libfdk_aac goes without its afterburner, a
 * second search that takes two fifths of its time: where bits are few it is heard, here it is not.
 * Two channels that are alike are one: the encoder codes their sum, and a difference of nothing.
 */
const PLENTY = 48_000;

/** One running encoder. */
export interface AacEncoder {
  /** Encodes 1024 samples of interleaved stereo; returns the access units that came out of it. */
  encode(pcm: Int16Array): Uint8Array[];
  /** Frees the native memory. */
  close(): void;
}

/** The encoder that this machine has. */
export type AacCodec = {
  readonly name: AacName;
  /** An encoder of stereo; both channels of a source that has one are the same. */
  create(step: AacStep): AacEncoder;
};

/** Bitrate in bit/s, and channels of what is encoded before it became stereo. */
type AacStep = { readonly bitrate: number; readonly channels: 1 | 2 };

type Native = {
  readonly lib: typeof import('node-av/lib');
  readonly constants: typeof import('node-av/constants');
};

const importNative = async (): Promise<Native | undefined> => {
  try {
    return { lib: await import('node-av/lib'), constants: await import('node-av/constants') };
  } catch {
    return undefined;
  }
};

const planarOf = (pcm: Int16Array, planes: Float32Array): void => {
  for (let index = 0; index < UNIT; index += 1) {
    planes[index] = (pcm[2 * index] as number) / 32_768;
    planes[UNIT + index] = (pcm[2 * index + 1] as number) / 32_768;
  }
};

const openContext = (
  { lib, constants }: Native,
  name: AacName,
  { bitrate, channels }: AacStep,
): CodecContext => {
  const codec = lib.Codec.findEncoderByName(
    name as Parameters<typeof lib.Codec.findEncoderByName>[0],
  );
  if (codec === null) throw new Error(`FFmpeg here has no encoder ${name}.`);
  const context = new lib.CodecContext();
  context.allocContext3(codec);
  context.sampleRate = SAMPLE_RATE;
  context.channelLayout = constants.AV_CHANNEL_LAYOUT_STEREO;
  context.sampleFormat =
    name === 'aac' ? constants.AV_SAMPLE_FMT_FLTP : constants.AV_SAMPLE_FMT_S16;
  context.bitRate = BigInt(bitrate);
  context.timeBase = new lib.Rational(1, SAMPLE_RATE);
  context.threadCount = 1;
  // Without it libfdk_aac puts an ADTS header before every unit.
  context.setFlags(constants.AV_CODEC_FLAG_GLOBAL_HEADER);
  // The default coder of `aac` is slow enough to fall behind live. (Options passed to open2 in a
  // Dictionary are freed twice by node-av 6.1.1, which ends the process sooner or later.)
  if (name === 'aac') context.setOption('aac_coder', 'fast');
  else if (bitrate >= channels * PLENTY) context.setOption('afterburner', '0');
  const opened = context.open2Sync(codec, null);
  if (opened < 0) {
    context.freeContext();
    throw new Error(`FFmpeg's ${name} did not open at ${bitrate} bit/s: error ${opened}.`);
  }
  return context;
};

const createEncoder = (native: Native, name: AacName, step: AacStep): AacEncoder => {
  const { lib, constants } = native;
  const context = openContext(native, name, step);
  const frame = new lib.Frame();
  frame.alloc();
  frame.nbSamples = UNIT;
  frame.format = context.sampleFormat;
  frame.sampleRate = SAMPLE_RATE;
  frame.channelLayout = constants.AV_CHANNEL_LAYOUT_STEREO;
  frame.timeBase = new lib.Rational(1, SAMPLE_RATE);
  frame.getBuffer();
  const packet = new lib.Packet();
  packet.alloc();
  const planes = new Float32Array(2 * UNIT);
  const planeBytes = Buffer.from(planes.buffer);
  let pts = 0n;

  const check = (result: number, what: string): void => {
    if (result < 0) throw new Error(`FFmpeg's ${name} failed to ${what}: error ${result}.`);
  };

  const encode = (pcm: Int16Array): Uint8Array[] => {
    // The encoder may still hold the memory of the last block.
    check(frame.makeWritable(), 'let go of its input');
    if (name === 'aac') planarOf(pcm, planes);
    const bytes =
      name === 'aac' ? planeBytes : Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    check(frame.fromBuffer(bytes), 'take its input');
    frame.pts = pts;
    pts += BigInt(UNIT);
    check(context.sendFrameSync(frame), 'encode');
    const units: Uint8Array[] = [];
    for (;;) {
      const result = context.receivePacketSync(packet);
      if (result === constants.AVERROR_EAGAIN) return units;
      check(result, 'hand out a packet');
      units.push(new Uint8Array(packet.data ?? []));
      packet.unref();
    }
  };

  const nothing = new Int16Array(2 * UNIT);
  const ahead: Uint8Array[] = [];
  for (let delay = PRIMING[name]; delay < DELAY; delay += UNIT) ahead.push(...encode(nothing));
  return {
    encode: (pcm) => [...ahead.splice(0), ...encode(pcm)],
    close: () => {
      packet.free();
      frame.free();
      context.freeContext();
    },
  };
};

/** Finds the first encoder of `names` that works here; undefined when node-av or all are missing. */
export const loadAac = async (names: readonly AacName[]): Promise<AacCodec | undefined> => {
  const native = await importNative();
  if (native === undefined) return undefined;
  native.lib.Log.setLevel(native.constants.AV_LOG_QUIET);
  for (const name of names) {
    try {
      createEncoder(native, name, { bitrate: 128_000, channels: 2 }).close();
      return { name, create: (step) => createEncoder(native, name, step) };
    } catch {}
  }
  return undefined;
};
