/** Access units of one channel, as libfdk_aac makes them: what the service has nowhere. */
import * as constants from 'node-av/constants';
import * as lib from 'node-av/lib';

const UNIT = 1024;

/** Encodes 16-bit samples of one channel at 48 kHz. */
export const encodeMono = (
  pcm: Int16Array,
  { bitrate, afterburner = false }: { readonly bitrate: number; readonly afterburner?: boolean },
): Uint8Array[] => {
  lib.Log.setLevel(constants.AV_LOG_QUIET);
  const codec = lib.Codec.findEncoderByName(constants.FF_ENCODER_LIBFDK_AAC);
  if (codec === null) throw new Error('libfdk_aac is missing.');
  const context = new lib.CodecContext();
  context.allocContext3(codec);
  context.sampleRate = 48_000;
  context.channelLayout = constants.AV_CHANNEL_LAYOUT_MONO;
  context.sampleFormat = constants.AV_SAMPLE_FMT_S16;
  context.bitRate = BigInt(bitrate);
  context.timeBase = new lib.Rational(1, 48_000);
  context.setFlags(constants.AV_CODEC_FLAG_GLOBAL_HEADER);
  context.setOption('afterburner', afterburner ? '1' : '0');
  if (context.open2Sync(codec, null) < 0) throw new Error(`No encoder of ${bitrate} bit/s.`);
  const frame = new lib.Frame();
  frame.alloc();
  frame.nbSamples = UNIT;
  frame.format = context.sampleFormat;
  frame.sampleRate = context.sampleRate;
  frame.channelLayout = context.channelLayout;
  frame.getBuffer();
  const packet = new lib.Packet();
  packet.alloc();
  const units: Uint8Array[] = [];
  for (let at = 0; at + UNIT <= pcm.length; at += UNIT) {
    frame.makeWritable();
    frame.fromBuffer(Buffer.from(pcm.buffer, pcm.byteOffset + 2 * at, 2 * UNIT));
    frame.pts = BigInt(at);
    context.sendFrameSync(frame);
    while (context.receivePacketSync(packet) === 0) {
      units.push(new Uint8Array(packet.data ?? []));
      packet.unref();
    }
  }
  packet.free();
  frame.free();
  context.freeContext();
  return units;
};
