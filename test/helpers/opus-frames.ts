/** Frames of real Opus, as a publisher would send them, without a socket. */
import opus from '@discordjs/opus';
import { decodeFrame, encodeFrame, type Frame } from '../../shared/frame.ts';
import { samples } from '../../shared/time.ts';
import { seededRandom } from './seeded-random.ts';

/** Packets of a tone with noise, 20 ms each, at changing bit rates so that sizes differ. */
export const realPackets = (count: number, { channels = 1, seed = 1 } = {}): Buffer[] => {
  const encoder = new opus.OpusEncoder(48_000, channels);
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    if (index % 10 === 0) encoder.setBitrate(16_000 + Math.floor(random() * 200_000));
    const pcm = Int16Array.from({ length: 960 * channels }, (_value, at) => {
      const time = index * 960 + Math.floor(at / channels);
      return 6000 * Math.sin(time / 17) + 2000 * (random() - 0.5);
    });
    return encoder.encode(Buffer.from(pcm.buffer));
  });
};

/** A frame of 20 ms as it comes over the wire. */
export const frameOf = (
  packet: Uint8Array,
  {
    sequence,
    epoch = 0,
    timestamp = sequence * 960,
    flags = 0,
  }: { sequence: number; epoch?: number; timestamp?: number; flags?: number },
): Frame =>
  decodeFrame(
    encodeFrame(
      {
        flags,
        rendition: 0,
        duration: samples(960),
        sequence,
        epoch,
        timestamp: samples(timestamp),
      },
      packet,
    ),
  );
