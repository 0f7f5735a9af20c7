import { readFileSync } from 'node:fs';
import opus from '@discordjs/opus';
import { describe, expect, it } from 'vitest';
import { MAX_PACKET_BYTES, opusDuration, opusMode } from '../../shared/opus.ts';
import { SAMPLE_RATE } from '../../shared/time.ts';
import {
  MAX_ENCODE_DURATION,
  NATIVE_MAX_PACKET_BYTES,
  OPUS_ERROR,
  OpusDecoder,
  OpusEncoder,
  type OpusEncoderOptions,
} from '../../worklets/opus-codec.ts';
import { synthesize } from '../fixtures/synth.ts';

const SEED = 20_261;
const compile = (name: string): WebAssembly.Module =>
  new WebAssembly.Module(readFileSync(new URL(`../../worklets/opus/${name}`, import.meta.url)));
const codec = compile('codec.wasm');
const decoderOnly = compile('decoder.wasm');

type Settings = Required<OpusEncoderOptions>;

/** The native encoder with the same settings; the application comes before the first packet. */
const nativeEncoder = (settings: Settings): opus.OpusEncoder => {
  const native = new opus.OpusEncoder(SAMPLE_RATE, settings.channels);
  const ctls = {
    4000: { voip: 2048, audio: 2049 }[settings.application],
    4002: settings.bitrate,
    4006: Number(settings.vbr),
    4010: settings.complexity,
    4012: Number(settings.fec),
    4014: settings.loss,
    4016: Number(settings.dtx),
    4024: { auto: -1000, voice: 3001, music: 3002 }[settings.signal],
  };
  for (const [ctl, value] of Object.entries(ctls)) native.applyEncoderCTL(Number(ctl), value);
  return native;
};

const bytesOf = (pcm: Int16Array): Buffer =>
  Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);

/** Cuts `pcm` into stretches of `duration` samples a channel, dropping what is left over. */
const cut = (pcm: Int16Array, length: number): Int16Array[] =>
  Array.from({ length: Math.floor(pcm.length / length) }, (_, index) =>
    pcm.subarray(index * length, (index + 1) * length),
  );

const encodeAll = (encoder: OpusEncoder, pcm: Int16Array, length: number, duration: number) =>
  cut(pcm, length).map((stretch) => {
    encoder.pcm.set(stretch);
    return encoder.encode(duration).slice();
  });

const PLAIN: Settings = {
  channels: 2,
  application: 'audio',
  bitrate: 96_000,
  complexity: 10,
  fec: false,
  loss: 0,
  dtx: false,
  vbr: true,
  signal: 'auto',
  maxPacketBytes: MAX_PACKET_BYTES,
};

const VARIANTS: readonly Partial<Settings>[] = [
  {},
  { fec: true, loss: 20, signal: 'voice' },
  { dtx: true },
  { vbr: false, signal: 'music' },
];

const CASES = [120, 240, 480, 960, 1920, 2880].flatMap((duration) =>
  (['voip', 'audio'] as const).flatMap((application) =>
    ([1, 2] as const).map((channels) => ({ duration, application, channels })),
  ),
);

describe('OpusEncoder and OpusDecoder', () => {
  it.each(CASES)(
    'equal the native codec to the bit: $duration samples, $application, $channels channels',
    ({ duration, application, channels }) => {
      const pcm = synthesize(1.6 * SAMPLE_RATE, { channels, seed: SEED });
      const stretches = cut(pcm, duration * channels);
      const maxPacketBytes = duration > 960 ? NATIVE_MAX_PACKET_BYTES : MAX_PACKET_BYTES;
      const common = { ...PLAIN, application, channels, maxPacketBytes };
      let variant = 0;
      for (const bitrate of [10_000, 32_000, 64_000, 128_000])
        for (const complexity of [5, 10]) {
          // Both complexities meet every variant over the bitrates, at half the cost of all pairs.
          const chosen = VARIANTS[variant % VARIANTS.length];
          variant += complexity === 5 ? 1 : 2;
          const settings = { ...common, bitrate, complexity, ...chosen };
          const native = nativeEncoder(settings);
          const encoder = new OpusEncoder(codec, settings);
          const decoders = [
            new OpusDecoder(codec, { channels }),
            new OpusDecoder(decoderOnly, { channels }),
          ];
          let packets = 0;
          let samples = 0;
          for (const [index, stretch] of stretches.entries()) {
            if (index === stretches.length >> 1) {
              native.setBitrate(bitrate * 0.75);
              encoder.bitrate = bitrate * 0.75;
            }
            const theirs = native.encode(bytesOf(stretch));
            encoder.pcm.set(stretch);
            const ours = encoder.encode(duration);
            if (theirs.equals(ours)) packets += 1;
            const heard = native.decode(Buffer.from(ours));
            const equal = decoders.every(
              (decoder) =>
                decoder.decode(theirs) === duration &&
                heard.equals(bytesOf(decoder.pcm.subarray(0, duration * channels))),
            );
            if (equal) samples += duration;
          }
          const what = JSON.stringify(settings);
          expect(packets, `equal packets with ${what}`).toBe(stretches.length);
          expect(samples, `equal samples with ${what}`).toBe(stretches.length * duration);
        }
    },
  );

  it('covers all three coding modes and DTX with the settings above', () => {
    const pcm = synthesize(1.6 * SAMPLE_RATE, { channels: 1, seed: SEED });
    const modes = new Set<string>();
    let smallest = MAX_PACKET_BYTES;
    for (const application of ['voip', 'audio'] as const)
      for (const bitrate of [10_000, 32_000, 64_000, 128_000]) {
        const settings = { ...PLAIN, channels: 1 as const, application, bitrate, dtx: true };
        for (const packet of encodeAll(new OpusEncoder(codec, settings), pcm, 960, 960)) {
          modes.add(opusMode(packet[0]!));
          smallest = Math.min(smallest, packet.length);
        }
      }
    expect([...modes].sort()).toEqual(['celt', 'hybrid', 'silk']);
    expect(smallest).toBeLessThanOrEqual(2);
  });

  it('decodes mono packets into two channels and stereo packets into one', () => {
    for (const [from, to] of [[1, 2] as const, [2, 1] as const]) {
      const pcm = synthesize(0.4 * SAMPLE_RATE, { channels: from, seed: SEED });
      const native = new opus.OpusEncoder(SAMPLE_RATE, to);
      const decoder = new OpusDecoder(decoderOnly, { channels: to });
      const encoder = new OpusEncoder(codec, { ...PLAIN, channels: from });
      for (const packet of encodeAll(encoder, pcm, 960 * from, 960)) {
        expect(decoder.decode(packet)).toBe(960);
        const heard = native.decode(Buffer.from(packet));
        expect(heard.equals(bytesOf(decoder.pcm.subarray(0, 960 * to)))).toBe(true);
      }
    }
  });
});

describe('OpusEncoder', () => {
  const pcm = synthesize(1.6 * SAMPLE_RATE, { channels: 2, seed: SEED });
  const other = synthesize(SAMPLE_RATE, { channels: 2, seed: SEED + 1 });

  it.each(['voip', 'audio'] as const)(
    'encodes like a new one after a reset or a warm-up (%s)',
    (application) => {
      const settings = { ...PLAIN, application, bitrate: 40_000, complexity: 5 };
      const expected = encodeAll(new OpusEncoder(codec, settings), pcm, 1920, 960);
      const used = new OpusEncoder(codec, settings);
      encodeAll(used, other, 1920, 960);
      used.reset();
      expect(encodeAll(used, pcm, 1920, 960)).toEqual(expected);
      const warm = new OpusEncoder(codec, settings);
      warm.warmUp();
      expect(warm.pcm.every((sample) => sample === 0)).toBe(true);
      expect(encodeAll(warm, pcm, 1920, 960)).toEqual(expected);
    },
  );

  it('never exceeds the protocol’s longest packet', () => {
    const encoder = new OpusEncoder(codec, { ...PLAIN, bitrate: 510_000 });
    const packets = encodeAll(encoder, pcm, 2 * MAX_ENCODE_DURATION, MAX_ENCODE_DURATION);
    const longest = Math.max(...packets.map((packet) => packet.length));
    expect(longest).toBeLessThanOrEqual(MAX_PACKET_BYTES);
    expect(longest).toBeGreaterThan(MAX_PACKET_BYTES / 2);
  });

  it('answers a length that Opus does not have with an empty packet, and goes on', () => {
    const encoder = new OpusEncoder(codec, PLAIN);
    for (const duration of [-1, 0, 1, 128, 961, 5760, 5761, 1e9])
      expect(encoder.encode(duration)).toHaveLength(0);
    expect(opusDuration(encoder.encode(960))).toBe(960);
  });

  it('refuses settings that libopus does not take, and a module without encoder', () => {
    const encoder = new OpusEncoder(codec, PLAIN);
    expect(() => {
      encoder.bitrate = -5;
    }).toThrow(RangeError);
    expect(() => new OpusEncoder(codec, { ...PLAIN, loss: 101 })).toThrow(RangeError);
    expect(() => new OpusEncoder(decoderOnly, PLAIN)).toThrow(TypeError);
  });

  it('has a lookahead of 312 samples and room for 60 ms', () => {
    const encoder = new OpusEncoder(codec, PLAIN);
    expect(encoder.lookahead).toBe(312);
    expect(encoder.pcm).toHaveLength(2 * 2880);
  });
});

describe('OpusDecoder', () => {
  const pcm = synthesize(4 * SAMPLE_RATE, { channels: 1, seed: SEED, turns: ['voice'] });
  const settings: Settings = { ...PLAIN, channels: 1, application: 'voip', bitrate: 24_000 };
  const packetsOf = (more: Partial<Settings>): Uint8Array[] =>
    encodeAll(new OpusEncoder(codec, { ...settings, ...more }), pcm, 960, 960);

  /** Energy of what differs from the lossless decode in the stretches that were lost. */
  const errorEnergy = (
    packets: readonly Uint8Array[],
    repair: (decoder: OpusDecoder, next: Uint8Array) => number,
  ): { error: number; energy: number } => {
    const lossless = new OpusDecoder(decoderOnly, { channels: 1 });
    const lossy = new OpusDecoder(decoderOnly, { channels: 1 });
    let error = 0;
    let energy = 0;
    for (const [index, packet] of packets.entries()) {
      lossless.decode(packet);
      const next = packets[index + 1];
      if (index % 5 !== 4 || next === undefined) {
        lossy.decode(packet);
        continue;
      }
      expect(opusMode(next[0]!)).not.toBe('celt');
      expect(repair(lossy, next)).toBe(960);
      for (let at = 0; at < 960; at += 1) {
        error += (lossless.pcm[at]! - lossy.pcm[at]!) ** 2;
        energy += lossless.pcm[at]! ** 2;
      }
    }
    return { error, energy };
  };

  it('recovers from the FEC of the next packet what concealment cannot', () => {
    const packets = packetsOf({ fec: true, loss: 20 });
    const repaired = errorEnergy(packets, (decoder, next) => decoder.decodeFec(next, 960));
    const concealed = errorEnergy(packets, (decoder) => decoder.conceal(960));
    expect(repaired.energy).toBe(concealed.energy);
    expect(repaired.error).toBeLessThan(0.25 * repaired.energy);
    expect(repaired.error).toBeLessThan(0.25 * concealed.error);
  });

  it('conceals exactly as long as asked, and no other lengths', () => {
    const decoder = new OpusDecoder(decoderOnly, { channels: 2 });
    for (const packet of packetsOf({}).slice(0, 10)) decoder.decode(packet);
    for (const duration of [120, 240, 360, 480, 600, 960, 1080, 1920, 2880, 5760])
      expect(decoder.conceal(duration)).toBe(duration);
    for (const duration of [0, 1, 119, 128, 961, -120])
      expect(decoder.conceal(duration)).toBe(OPUS_ERROR.badArgument);
    expect(decoder.conceal(5880)).toBe(OPUS_ERROR.badArgument);
  });

  it('decodes like a new one after a reset', () => {
    const packets = packetsOf({ bitrate: 40_000 });
    const decodeAll = (decoder: OpusDecoder): Int16Array[] =>
      packets.map((packet) => decoder.pcm.slice(0, decoder.decode(packet)));
    const used = new OpusDecoder(decoderOnly, { channels: 1 });
    decodeAll(used);
    used.conceal(960);
    used.reset();
    expect(decodeAll(used)).toEqual(decodeAll(new OpusDecoder(decoderOnly, { channels: 1 })));
  });

  it('answers empty, overlong and malformed packets with a code', () => {
    const decoder = new OpusDecoder(decoderOnly, { channels: 2 });
    const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
    expect(decoder.decode(bytes(''))).toBe(OPUS_ERROR.invalidPacket);
    expect(decoder.decode(new Uint8Array(NATIVE_MAX_PACKET_BYTES + 1))).toBe(
      OPUS_ERROR.invalidPacket,
    );
    expect(decoder.decode(bytes('ff'))).toBe(OPUS_ERROR.invalidPacket); // code 3, no count byte
    expect(decoder.decode(bytes('f901'))).toBe(OPUS_ERROR.invalidPacket); // code 1, an odd byte
    expect(decoder.decodeFec(bytes(''), 960)).toBe(OPUS_ERROR.invalidPacket);
  });

  it('traps as a RuntimeError when its state is ruined, and harms no other decoder', () => {
    const packets = packetsOf({});
    const ruined = new OpusDecoder(decoderOnly, { channels: 1 });
    const bystander = new OpusDecoder(decoderOnly, { channels: 1 });
    new Uint8Array(ruined.pcm.buffer).fill(0x7f);
    expect(() => {
      for (const packet of packets) ruined.decode(packet);
    }).toThrow(WebAssembly.RuntimeError);
    const successor = new OpusDecoder(decoderOnly, { channels: 1 });
    for (const packet of packets) {
      expect(bystander.decode(packet)).toBe(960);
      expect(successor.decode(packet)).toBe(960);
      expect(bytesOf(successor.pcm).equals(bytesOf(bystander.pcm))).toBe(true);
    }
  });
});
