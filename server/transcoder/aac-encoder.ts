/**
 * AAC-LC encoders of FFmpeg through node-av, which is optional. Every encoder here delays its input
 * by 2048 samples, so that they are interchangeable within a stream.
 */
import type { AVSampleFormat } from 'node-av/constants';
import type { ChannelLayout, CodecContext } from 'node-av/lib';
import { SAMPLE_RATE } from '../../shared/time.ts';
import { doubled } from './aac-doubling.ts';
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
 */
const PLENTY = 56_000;

/**
 * A source of one channel is encoded as one by libfdk_aac, for about 60 % of the work that a pair
 * is, and doubled afterwards. So from PLENTY on (from 48 kbit/s down it substitutes noise, which
 * cannot be doubled) to nearly the 288 kbit/s that a channel may have. That there is no difference
 * between the two is said in 2.4 kbit/s for voice, and in up to 5.6 where there are clicks alone.
 */
const MOST_FOR_ONE = 256_000;
const DIFFERENCE = 6000;

const NOTHING = new Uint8Array(0);

/** One running encoder. */
export interface AacEncoder {
  /**
   * Encodes 1024 samples of interleaved stereo; returns the access units that came out of it.
   *
   * @throws {RangeError} when one channel came out in a way that cannot be doubled.
   */
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

/** Whether libfdk_aac has bits enough to be spared its second search. */
const isPlenty = ({ bitrate, channels }: AacStep): boolean => bitrate >= channels * PLENTY;

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

/** What an encoder gets and gives, where the outside has interleaved stereo and units of stereo. */
type Form = {
  readonly layout: ChannelLayout;
  readonly sampleFormat: AVSampleFormat;
  readonly bitrate: number;
  input(pcm: Int16Array): Buffer;
  output(unit: Uint8Array): Uint8Array;
};

const formOf = ({ constants }: Native, name: AacName, step: AacStep): Form => {
  const pair: Form = {
    layout: constants.AV_CHANNEL_LAYOUT_STEREO,
    sampleFormat: constants.AV_SAMPLE_FMT_S16,
    bitrate: step.bitrate,
    input: (pcm) => Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength),
    output: (unit) => new Uint8Array(unit),
  };
  if (name === 'aac') {
    const planes = new Float32Array(2 * UNIT);
    const input = (pcm: Int16Array): Buffer => {
      for (let index = 0; index < UNIT; index += 1) {
        planes[index] = (pcm[2 * index] as number) / 32_768;
        planes[UNIT + index] = (pcm[2 * index + 1] as number) / 32_768;
      }
      return Buffer.from(planes.buffer);
    };
    return { ...pair, sampleFormat: constants.AV_SAMPLE_FMT_FLTP, input };
  }
  if (step.channels === 2 || !isPlenty(step) || step.bitrate > MOST_FOR_ONE) return pair;
  const one = new Int16Array(UNIT);
  const input = (pcm: Int16Array): Buffer => {
    for (let index = 0; index < UNIT; index += 1) one[index] = pcm[2 * index] as number;
    return Buffer.from(one.buffer);
  };
  const bitrate = step.bitrate - DIFFERENCE;
  return { ...pair, layout: constants.AV_CHANNEL_LAYOUT_MONO, bitrate, input, output: doubled };
};

const openContext = (
  { lib, constants }: Native,
  name: AacName,
  { step, form }: { readonly step: AacStep; readonly form: Form },
): CodecContext => {
  const codec = lib.Codec.findEncoderByName(
    name as Parameters<typeof lib.Codec.findEncoderByName>[0],
  );
  if (codec === null) throw new Error(`FFmpeg here has no encoder ${name}.`);
  const context = new lib.CodecContext();
  context.allocContext3(codec);
  context.sampleRate = SAMPLE_RATE;
  context.channelLayout = form.layout;
  context.sampleFormat = form.sampleFormat;
  context.bitRate = BigInt(form.bitrate);
  context.timeBase = new lib.Rational(1, SAMPLE_RATE);
  context.threadCount = 1;
  // Without it libfdk_aac puts an ADTS header before every unit.
  context.setFlags(constants.AV_CODEC_FLAG_GLOBAL_HEADER);
  // The default coder of `aac` is slow enough to fall behind live. (Options passed to open2 in a
  // Dictionary are freed twice by node-av 6.1.1, which ends the process sooner or later.)
  if (name === 'aac') context.setOption('aac_coder', 'fast');
  else if (isPlenty(step)) context.setOption('afterburner', '0');
  const opened = context.open2Sync(codec, null);
  if (opened < 0) {
    context.freeContext();
    throw new Error(`FFmpeg's ${name} did not open at ${form.bitrate} bit/s: error ${opened}.`);
  }
  return context;
};

const createEncoder = (native: Native, name: AacName, step: AacStep): AacEncoder => {
  const { lib, constants } = native;
  const form = formOf(native, name, step);
  const context = openContext(native, name, { step, form });
  const frame = new lib.Frame();
  frame.alloc();
  frame.nbSamples = UNIT;
  frame.format = form.sampleFormat;
  frame.sampleRate = SAMPLE_RATE;
  frame.channelLayout = form.layout;
  frame.timeBase = new lib.Rational(1, SAMPLE_RATE);
  frame.getBuffer();
  const packet = new lib.Packet();
  packet.alloc();
  let pts = 0n;

  const check = (result: number, what: string): void => {
    if (result < 0) throw new Error(`FFmpeg's ${name} failed to ${what}: error ${result}.`);
  };

  const encode = (pcm: Int16Array): Uint8Array[] => {
    // The encoder may still hold the memory of the last block.
    check(frame.makeWritable(), 'let go of its input');
    check(frame.fromBuffer(form.input(pcm)), 'take its input');
    frame.pts = pts;
    pts += BigInt(UNIT);
    check(context.sendFrameSync(frame), 'encode');
    const units: Uint8Array[] = [];
    for (;;) {
      const result = context.receivePacketSync(packet);
      if (result === constants.AVERROR_EAGAIN) return units;
      check(result, 'hand out a packet');
      units.push(form.output(packet.data ?? NOTHING));
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
