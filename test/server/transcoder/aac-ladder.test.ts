import { describe, expect, it } from 'vitest';
import { loadAac } from '../../../server/transcoder/aac-encoder.ts';
import { AacLadder } from '../../../server/transcoder/aac-ladder.ts';
import { PieceDecoder } from '../../../server/transcoder/piece-decoder.ts';
import { LADDER } from '../../../server/transcoder/transcoder.ts';
import { Transcoding } from '../../../server/transcoder/transcoding.ts';
import { samples } from '../../../shared/time.ts';
import { measuringSignal } from '../../helpers/measuring-signal.ts';
import { publish } from './sound.ts';

const codec = await loadAac(['libfdk_aac']);
const options = { ladder: LADDER, from: samples(0) };

/** What libfdk_aac makes of the sound of frames whose source is said to have so many channels. */
const encoded = (frames: ReturnType<typeof publish>, channels: 1 | 2): Buffer[][] => {
  if (codec === undefined) throw new Error('libfdk_aac is missing.');
  const ladder = new AacLadder(codec, options);
  const decoder = new PieceDecoder();
  const units = frames.flatMap(({ packet, duration, timestamp }) =>
    ladder.write(decoder.frame(packet, duration).pcm, timestamp, channels),
  );
  ladder.close();
  return units.map(({ bytes }) => bytes.map((unit) => Buffer.from(unit)));
};

describe('the afterburner of libfdk_aac', () => {
  it.each([
    { channels: 1, other: 2 },
    { channels: 2, other: 1 },
  ] as const)('is chosen by what the packets say: $channels channels', ({ channels, other }) => {
    const frames = publish(measuringSignal(2), { channels });
    const transcoding = new Transcoding(codec, options);
    const begin = { kind: 'discontinuity', at: samples(0), duration: samples(0) } as const;
    const { units } = transcoding.feed([
      begin,
      ...frames.map((frame) => ({ ...frame, kind: 'frame' as const, at: frame.timestamp })),
    ]);
    const made = units.map(({ bytes }) => bytes.map((unit) => Buffer.from(unit)));
    const expected = encoded(frames, channels);
    const wrong = encoded(frames, other);
    expect(made.length).toBeGreaterThan(80);
    expect(made).toEqual(expected);
    // At 128 kbit/s it is off for both, at 64 kbit/s for mono alone.
    expect(made.map(([most]) => most)).toEqual(wrong.map(([most]) => most));
    expect(made.map(([, least]) => least)).not.toEqual(wrong.map(([, least]) => least));
  });
});
