import { describe, expect, it } from 'vitest';
import { type AacCodec, loadAac } from '../../../server/transcoder/aac-encoder.ts';
import { AacLadder } from '../../../server/transcoder/aac-ladder.ts';
import { PieceDecoder } from '../../../server/transcoder/piece-decoder.ts';
import { LADDER } from '../../../server/transcoder/presets.ts';
import { Transcoding } from '../../../server/transcoder/transcoding.ts';
import { samples } from '../../../shared/time.ts';
import { measuringSignal } from '../../helpers/measuring-signal.ts';
import { decodeAac, level, publish, withPacket } from './sound.ts';

const codec = await loadAac(['libfdk_aac']);
const options = { ladder: LADDER, from: samples(0) };

type Frames = ReturnType<typeof publish>;

/** What libfdk_aac makes of the sound of frames whose source is said to have so many channels. */
const encoded = (frames: Frames, channels: 1 | 2): Buffer[][] => {
  if (codec === undefined) throw new Error('libfdk_aac is missing.');
  const ladder = new AacLadder(codec, options);
  const decoder = new PieceDecoder();
  const units = frames.flatMap(({ packet, duration, timestamp }) =>
    ladder.write(decoder.frame(packet, duration).pcm, { at: timestamp, channels }),
  );
  ladder.close();
  return units.map(({ bytes }) => bytes.map((unit) => Buffer.from(unit)));
};

/** The same by the packets themselves: what comes before the end of the stretch. */
const transcoded = (frames: Frames): { readonly at: number; readonly bytes: Buffer[] }[] => {
  const transcoding = new Transcoding(codec, options);
  const nothing = { at: samples(0), duration: samples(0) };
  const { units } = transcoding.feed([
    { kind: 'discontinuity', ...nothing },
    ...frames.map((frame) => ({ ...frame, kind: 'frame' as const, at: frame.timestamp })),
  ]);
  transcoding.feed([{ kind: 'end', ...nothing }]);
  return units.map(({ at, bytes }) => ({ at, bytes: bytes.map((unit) => Buffer.from(unit)) }));
};

/** Units at 64 kbit/s. */
const least = (units: readonly Buffer[][]): Buffer[] => units.map(([, unit]) => unit as Buffer);

const heard = (units: readonly Buffer[]): Float32Array =>
  decodeAac(
    units.map((bytes, index) => ({ at: samples(1024 * index), duration: samples(1024), bytes })),
  )[0];

describe('how libfdk_aac encodes', () => {
  it.each([
    { channels: 1, other: 2 },
    { channels: 2, other: 1 },
  ] as const)('is chosen by what the packets say: $channels channels', ({ channels, other }) => {
    const frames = publish(measuringSignal(2), { channels });
    const made = transcoded(frames).map(({ bytes }) => bytes);
    const expected = encoded(frames, channels);
    const wrong = encoded(frames, other);
    expect(made.length).toBeGreaterThan(80);
    expect(made).toEqual(expected);
    for (const step of LADDER.keys())
      expect(made.map((units) => units[step])).not.toEqual(wrong.map((units) => units[step]));
  });

  it('changes, without a seam, for a source that turns out to be stereo', () => {
    const signal = measuringSignal(6);
    const [mono, stereo] = [publish(signal, { channels: 1 }), publish(signal, { channels: 2 })];
    // No frames at all, and the flag of stereo: a corrupt packet proves nothing.
    const broken = withPacket(mono[50] as Frames[number], Uint8Array.of(0xff, 0));
    const frames = [...mono.slice(0, 50), broken, ...mono.slice(51, 100), ...stereo.slice(100)];
    const units = transcoded(frames);
    expect(units.map(({ at }) => at)).toEqual(units.map((_, index) => 1024 * index));
    // The encoders are two units late, and the second second begins within the 94th.
    const turned = 92;
    const [asMono, asStereo] = [encoded(frames, 1), encoded(frames, 2)];
    const made = least(units.map(({ bytes }) => bytes));
    expect(made.slice(0, turned - 1)).toEqual(least(asMono).slice(0, turned - 1));
    expect(made.slice(turned + 1)).not.toEqual(least(asMono).slice(turned + 1));
    const [sound, reference] = [heard(made), heard(least(asStereo))];
    const off = (from: number, to: number): number =>
      level(
        Float32Array.from(
          { length: to - from },
          (_, at) => sound[from + at]! - reference[from + at]!,
        ),
      );
    // At the seam it differs from an encoder of stereo from the beginning no more than before it.
    expect(off(90 * 1024, 94 * 1024)).toBeLessThan(off(84 * 1024, 88 * 1024) + 3);
  });

  it('goes on as stereo when one channel comes out in a way that cannot be doubled', () => {
    if (codec === undefined) throw new Error('libfdk_aac is missing.');
    const failing: AacCodec = {
      name: codec.name,
      create: (step) => {
        const encoder = codec.create(step);
        if (step.channels === 2 || step.bitrate === 128_000) return encoder;
        let blocks = 0;
        const encode = (pcm: Int16Array): Uint8Array[] => {
          blocks += 1;
          if (blocks > 60) throw new RangeError('What nobody knows.');
          return encoder.encode(pcm);
        };
        return { encode, close: () => encoder.close() };
      },
    };
    const ladder = new AacLadder(failing, options);
    const decoder = new PieceDecoder();
    const frames = publish(measuringSignal(3), { channels: 1 });
    const units = frames.flatMap(({ packet, duration, timestamp }) =>
      ladder.write(decoder.frame(packet, duration).pcm, { at: timestamp, channels: 1 }),
    );
    ladder.close();
    expect(units.map(({ at }) => at)).toEqual(units.map((_, index) => 1024 * index));
    const [asMono, asStereo] = [encoded(frames, 1), encoded(frames, 2)];
    const made = units.map(({ bytes }) => bytes.map((unit) => Buffer.from(unit)));
    expect(made.length).toBe(asMono.length);
    // Two units are in the encoders.
    expect(made.slice(0, 58)).toEqual(asMono.slice(0, 58));
    const sound = heard(least(made));
    const [mono, stereo] = [heard(least(asMono)), heard(least(asStereo))];
    const distance = (other: Float32Array, from: number, to: number): number =>
      level(sound.subarray(from, to).map((one, at) => one - other[from + at]!));
    expect(distance(stereo, 62 * 1024, 100 * 1024)).toBeLessThan(
      distance(mono, 62 * 1024, 100 * 1024),
    );
  });
});
