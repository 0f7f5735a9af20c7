/** Real coded sound for the tests of the containers, and ffmpeg to judge what was made of it. */
import { spawnSync } from 'node:child_process';
import opus from '@discordjs/opus';
import { initSegment, mediaPart } from '../../../server/packager/fmp4.ts';
import type { AccessUnit, Rendition } from '../../../server/packager/track.ts';
import { samples } from '../../../shared/time.ts';
import { seededRandom } from '../../helpers/seeded-random.ts';

export const AAC: Rendition = { name: 'aac128', codec: 'aac', channels: 2, bitrate: 128_000 };
export const OPUS: Rendition = { name: 'opus128', codec: 'opus', channels: 2, bitrate: 128_000 };

/** Samples ffmpeg's own AAC encoder delays by: its first unit decodes to what came before. */
const AAC_PRIMING = 1024;
const STEREO_BYTES = 4;

/** Stereo noise, dull enough to survive a codec and irregular enough to be found in its output. */
export const noise = (seconds: number): Buffer => {
  const next = seededRandom(20_260_101);
  const pcm = Buffer.alloc(48_000 * seconds * STEREO_BYTES);
  let low = 0;
  for (let offset = 0; offset < pcm.length; offset += STEREO_BYTES) {
    low += 0.2 * (next() * 2 - 1 - low);
    const value = Math.round(low * 20_000);
    pcm.writeInt16LE(value, offset);
    pcm.writeInt16LE(value, offset + 2);
  }
  return pcm;
};

/** Runs ffmpeg or ffprobe on `input`; what it complains about is `complaint`. */
export const judge = (
  program: 'ffmpeg' | 'ffprobe',
  options: readonly string[],
  input: Buffer,
): { readonly output: Buffer; readonly complaint: string } => {
  const { stdout, stderr, error } = spawnSync(program, ['-v', 'warning', ...options], {
    input,
    maxBuffer: 2 ** 28,
  });
  if (error) throw error;
  return { output: stdout, complaint: stderr.toString() };
};

const PCM = ['-f', 's16le', '-ar', '48000', '-ac', '2'];

/** What ffmpeg decodes from a file, as stereo of 48 kHz. */
export const decoded = (format: 'mp4' | 'mpegts', file: Buffer) =>
  judge('ffmpeg', ['-f', format, '-i', 'pipe:0', '-map', '0:a', ...PCM, 'pipe:1'], file);

/** Sound as AAC in the ADTS framing of ffmpeg. */
export const adtsByFfmpeg = (pcm: Buffer, { channels = 2, bitrate = 128_000 } = {}): Buffer =>
  judge(
    'ffmpeg',
    [
      ...PCM,
      '-i',
      'pipe:0',
      '-ac',
      `${channels}`,
      '-c:a',
      'aac',
      '-b:a',
      `${bitrate}`,
      '-f',
      'adts',
      '-',
    ],
    pcm,
  ).output;

/** Cuts ADTS into frames, header and all. */
export const adtsFrames = (adts: Buffer): readonly Buffer[] => {
  const frames: Buffer[] = [];
  for (let offset = 0; offset < adts.length; offset += frames.at(-1)?.length ?? 0)
    frames.push(adts.subarray(offset, offset + ((adts.readUIntBE(offset + 3, 3) >> 5) & 0x1fff)));
  return frames;
};

/** AAC units stamped with the time of the sound they decode to, from track time `from`. */
export const aacUnits = (
  pcm: Buffer,
  { from = 0, bitrate = 128_000 } = {},
): readonly AccessUnit[] =>
  adtsFrames(adtsByFfmpeg(pcm, { bitrate }))
    .map((frame, index) => ({
      at: samples(from + index * 1024 - AAC_PRIMING),
      duration: samples(1024),
      bytes: frame.subarray(7),
    }))
    .filter(({ at }) => at >= from);

/** Opus packets of 20 ms, stamped as the publisher does: the encoder's delay is not taken off. */
export const opusUnits = (pcm: Buffer, { from = 0 } = {}): readonly AccessUnit[] => {
  const encoder = new opus.OpusEncoder(48_000, 2);
  encoder.setBitrate(OPUS.bitrate);
  const bytes = 960 * STEREO_BYTES;
  return Array.from({ length: Math.floor(pcm.length / bytes) }, (_, index) => ({
    at: samples(from + index * 960),
    duration: samples(960),
    bytes: encoder.encode(pcm.subarray(index * bytes, (index + 1) * bytes)),
  }));
};

/** An initialisation segment and whole parts of so many units each. */
export const fragmented = (
  rendition: Rendition,
  units: readonly AccessUnit[],
  perPart: number,
): Buffer => {
  const parts = [initSegment(rendition)];
  for (let index = 0; index + perPart <= units.length; index += perPart)
    parts.push(
      mediaPart({
        sequence: index / perPart,
        units: units.slice(index, index + perPart),
        beginsSegment: index % (perPart * 12) === 0,
      }),
    );
  return Buffer.concat(parts);
};

/** The left channel. */
const left = (pcm: Buffer): Int16Array =>
  Int16Array.from({ length: pcm.length / STEREO_BYTES }, (_, index) =>
    pcm.readInt16LE(index * STEREO_BYTES),
  );

/** By how many samples `later` lags behind `earlier`, within 3000 either way. */
export const lagOf = (later: Buffer, earlier: Buffer): number => {
  const [moved, still] = [left(later), left(earlier)];
  let best = { lag: 0, product: Number.NEGATIVE_INFINITY };
  for (let lag = -3000; lag <= 3000; lag += 1) {
    let product = 0;
    for (let index = 48_000; index < 56_000; index += 1)
      product += still[index]! * moved[index + lag]!;
    if (product > best.product) best = { lag, product };
  }
  return best.lag;
};
