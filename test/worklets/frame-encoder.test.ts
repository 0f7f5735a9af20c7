import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FLAG } from '../../shared/frame.ts';
import { samples } from '../../shared/time.ts';
import { FrameEncoder } from '../../worklets/frame-encoder.ts';
import { OpusDecoder } from '../../worklets/opus-codec.ts';
import { synthesize } from '../fixtures/synth.ts';

const SEED = 4_711;
const codec = new WebAssembly.Module(
  readFileSync(new URL('../../worklets/opus/codec.wasm', import.meta.url)),
);

/**
 * An encoder with the exports of ours whose packets are three bytes and whose 124th encode, the
 * fourth after two warm-ups, traps: `(if (i32.eq (global.get $calls) (i32.const 124)) (then (unreachable)))`.
 */
const trapping = new WebAssembly.Module(
  Uint8Array.from(
    Buffer.from(
      '0061736d01000000010c0260027f7f017f60017f017f03040300000105030100010612037f004180080b7f0041' +
        '80200b7f0141000b074706066d656d6f72790200067061636b657403000370636d03010c656e636f6465725f' +
        '696e697400000b656e636f6465725f73657400010e656e636f6465725f656e636f646500020a2a0304004100' +
        '0b040041000b1e00230241016a2402230241fc00460440000b41800841f8013a000041030b',
      'hex',
    ),
  ),
);

const voip = {
  channels: 1,
  application: 'voip',
  bitrate: 64_000,
  complexity: 5,
  fec: true,
  frame: samples(960),
} as const;
const clock = { now: () => 0 };

const voicePackets = (options: typeof voip | (Omit<typeof voip, 'fec'> & { fec: false })) => {
  const encoder = new FrameEncoder(codec, options, clock);
  const pcm = synthesize(96_000, { channels: 1, seed: SEED, turns: ['voice'] });
  return Array.from({ length: 100 }, (_, index) => {
    const packet = encoder.encode(pcm.subarray(index * 960, (index + 1) * 960)).slice();
    return { packet, flags: encoder.flagsOf(packet) };
  });
};

describe('the FEC flag', () => {
  it('is on packets that can repair the one before, and such there are in voice mode', () => {
    const packets = voicePackets(voip);
    const marked = packets.flatMap(({ flags }, index) => (flags === FLAG.fec ? [index] : []));
    expect(marked.length).toBeGreaterThan(50);
    const differences = (index: number) => {
      const whole = new OpusDecoder(codec, { channels: 1 });
      const broken = new OpusDecoder(codec, { channels: 1 });
      for (const { packet } of packets.slice(0, index - 1)) {
        whole.decode(packet);
        broken.decode(packet);
      }
      whole.decode(packets[index - 1]!.packet);
      broken.decodeFec(packets[index]!.packet, 960);
      let error = 0;
      let power = 1;
      for (let at = 0; at < 960; at += 1) {
        error += (whole.pcm[at]! - broken.pcm[at]!) ** 2;
        power += whole.pcm[at]! ** 2;
      }
      return error / power;
    };
    const errors = marked
      .filter((index) => index > 10)
      .map(differences)
      .sort((a, b) => a - b);
    expect(errors[errors.length >> 1]).toBeLessThan(0.3);
  });

  it('is on none without FEC', () => {
    const packets = voicePackets({ ...voip, fec: false });
    expect(packets.every(({ flags }) => flags === 0)).toBe(true);
  });
});

describe('an encoder that traps', () => {
  it('is replaced at once, and the very frame is encoded by the next', () => {
    const encoder = new FrameEncoder(trapping, voip, clock);
    const lengths = Array.from({ length: 10 }, () => encoder.encode(new Int16Array(960)).length);
    expect(lengths).toEqual(new Array(10).fill(3));
    expect(encoder.replaced).toBe(1);
  });

  it('gives no packet for a frame that no encoder takes, and goes on', () => {
    const encoder = new FrameEncoder(codec, voip, clock);
    expect(encoder.encode(new Int16Array(100_000)).length).toBe(0);
    expect(encoder.encode(new Int16Array(960)).length).toBeGreaterThan(0);
  });
});

describe('the bitrate', () => {
  it('is kept within what a rendition may have, and nonsense changes nothing', () => {
    const encoder = new FrameEncoder(codec, { ...voip, application: 'audio', fec: false }, clock);
    const pcm = synthesize(960, { channels: 1, seed: SEED, turns: ['noise'] });
    const size = () => {
      for (let frame = 0; frame < 20; frame += 1) encoder.encode(pcm);
      return encoder.encode(pcm).length;
    };
    const before = size();
    encoder.bitrate = Number.NaN;
    expect(Math.abs(size() - before)).toBeLessThan(before / 4);
    encoder.bitrate = 0;
    expect(size()).toBeLessThan(40);
    encoder.bitrate = 1e9;
    expect(size()).toBeGreaterThan(500);
  });
});
