import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { kWeighting, Loudness } from '../../worklets/loudness.ts';
import { seededRandom } from '../helpers/seeded-random.ts';

const RATES = [8000, 16_000, 44_100, 48_000, 96_000];

/** Loudness after each 100 ms of a signal that is written in quanta. */
const readings = (rate: number, channels: readonly Float32Array[]): number[] => {
  const loudness = new Loudness({ rate, channels: channels.length });
  const out: number[] = [];
  const tenth = rate / 10;
  for (let start = 0; start + tenth <= channels[0]!.length; start += tenth) {
    for (let at = start; at < start + tenth; at += 128) {
      const count = Math.min(128, start + tenth - at);
      loudness.write(
        channels.map((channel) => channel.subarray(at, at + count)),
        count,
      );
    }
    out.push(loudness.momentary);
  }
  return out;
};

const tone = (rate: number, frequency: number, decibels: number, seconds = 1) =>
  Float32Array.from(
    { length: rate * seconds },
    (_, index) => 10 ** (decibels / 20) * Math.sin((2 * Math.PI * frequency * index) / rate),
  );

describe('K-weighting', () => {
  it('has the coefficients of BS.1770-4, tables 1 and 2, at 48 kHz', () => {
    const [shelf, highPass] = kWeighting(48_000);
    expect(shelf.b0).toBeCloseTo(1.53512485958697, 9);
    expect(shelf.b1).toBeCloseTo(-2.69169618940638, 9);
    expect(shelf.b2).toBeCloseTo(1.19839281085285, 9);
    expect(shelf.a1).toBeCloseTo(-1.69065929318241, 9);
    expect(shelf.a2).toBeCloseTo(0.73248077421585, 9);
    expect(highPass.a1).toBeCloseTo(-1.99004745483398, 9);
    expect(highPass.a2).toBeCloseTo(0.99007225036621, 9);
  });
});

describe('momentary loudness', () => {
  it.each(RATES)('of a stereo tone of 997 Hz at -23 dBFS is -23 LUFS at %i Hz', (rate) => {
    const signal = tone(rate, 997, -23);
    expect(readings(rate, [signal, signal]).at(-1)).toBeCloseTo(-23, rate < 10_000 ? 0 : 1);
  });

  it('of one channel is 3 LU below that of two', () => {
    const signal = tone(48_000, 997, -23);
    expect(readings(48_000, [signal]).at(-1)).toBeCloseTo(-26.01, 1);
  });

  it('is -Infinity for silence, below the absolute gate, and again 400 ms after a sound', () => {
    expect(readings(48_000, [new Float32Array(48_000)]).at(-1)).toBe(-Infinity);
    expect(readings(48_000, [tone(48_000, 997, -75)]).at(-1)).toBe(-Infinity);
    const signal = new Float32Array(96_000);
    signal.set(tone(48_000, 997, -20));
    const after = readings(48_000, [signal]);
    expect(after[12]).toBeGreaterThan(-30);
    expect(after[15]).toBe(-Infinity);
  });
});

const ffmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

describe('against ffmpeg', () => {
  const reason = ffmpeg ? '' : ' (skipped: ffmpeg is not installed; apt-get install ffmpeg)';

  it.skipIf(!ffmpeg).each([44_100, 48_000])(
    `speech-like bursts of noise and tones at %i Hz read as by ebur128, within 0.1 LU${reason}`,
    (rate) => {
      const next = seededRandom(11);
      const noise = () => 2 * next() - 1;
      const seconds = 6;
      const left = tone(rate, 180, -18, seconds).map((sample, index) => {
        const envelope = 0.55 + 0.45 * Math.sin((2 * Math.PI * 1.3 * index) / rate);
        return (sample + 0.1 * noise()) * envelope;
      });
      const right = tone(rate, 3000, -24, seconds);
      const interleaved = new Float32Array(2 * left.length);
      for (let index = 0; index < left.length; index += 1) {
        interleaved[2 * index] = left[index]!;
        interleaved[2 * index + 1] = right[index]!;
      }
      const printed = execFileSync(
        'ffmpeg',
        `-v error -f f32le -ar ${rate} -ac 2 -i - -af ebur128=metadata=1,ametadata=print:file=- -f null -`.split(
          ' ',
        ),
        { input: Buffer.from(interleaved.buffer) },
      ).toString();
      const theirs = [...printed.matchAll(/lavfi\.r128\.M=(\S+)/g)].map(([, value]) =>
        Number(value),
      );
      const ours = readings(rate, [left, right]);
      expect(theirs.length).toBeGreaterThan(50);
      for (let index = 4; index < theirs.length - 1; index += 1)
        expect(Math.abs(ours[index]! - theirs[index]!)).toBeLessThan(0.1);
    },
  );
});
