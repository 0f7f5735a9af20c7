import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  BLOCK,
  BlockMeter,
  type LoudnessReading,
  ProgrammeLoudness,
} from '../../../server/transcoder/meters.ts';
import { TruePeak } from '../../../server/transcoder/true-peak.ts';
import { samples } from '../../../shared/time.ts';
import { synthesize } from '../../fixtures/synth.ts';
import { seededRandom } from '../../helpers/seeded-random.ts';

/** Readings of interleaved stereo that comes in pieces of `length`. */
const readings = (pcm: Int16Array, { length = 960, at = 0 } = {}): LoudnessReading[] => {
  const meter = new BlockMeter();
  const programme = new ProgrammeLoudness();
  const out: LoudnessReading[] = [];
  for (let start = 0; start < pcm.length / 2; start += length) {
    const piece = pcm.subarray(2 * start, 2 * (start + length));
    for (const block of meter.write(piece, samples(at + start))) out.push(programme.write(block));
  }
  return out;
};

const tone = (frequency: number, decibels: number, seconds: number, phase = 0): Int16Array => {
  const pcm = new Int16Array(96_000 * seconds);
  for (let index = 0; index < pcm.length; index += 1)
    pcm[index] = Math.round(
      32_768 *
        10 ** (decibels / 20) *
        Math.sin((2 * Math.PI * frequency * (index >> 1)) / 48_000 + phase),
    );
  return pcm;
};

const joined = (...parts: readonly Int16Array[]): Int16Array =>
  Int16Array.from(parts.flatMap((part) => [...part]));

describe('loudness', () => {
  it('of a tone at -23 dBFS is -23 LUFS in every reading', () => {
    const last = readings(tone(997, -23, 4)).at(-1)!;
    expect(last.momentary).toBeCloseTo(-23, 1);
    expect(last.shortTerm).toBeCloseTo(-23, 1);
    expect(last.integrated).toBeCloseTo(-23, 1);
    expect(last.truePeak).toBeCloseTo(-23, 1);
  });

  // In kind case 3 of EBU Tech 3341; blocks at the borders hold some of both.
  it('is integrated without the parts 10 LU below the rest', () => {
    const pcm = joined(tone(997, -36, 3), tone(997, -23, 30), tone(997, -36, 3));
    expect(readings(pcm).at(-1)!.integrated).toBeCloseTo(-23, 1);
  });

  it('does not depend on the length of the pieces nor on where a stretch begins', () => {
    const pcm = synthesize(48_000 * 4, { channels: 2, seed: 8 });
    const whole = readings(pcm, { length: 4800 });
    for (const [index, reading] of readings(pcm, { length: 120 }).entries())
      expect(reading.integrated).toBeCloseTo(whole[index]!.integrated, 9);
    const begun = readings(pcm, { at: 960 });
    expect(begun[0]!.at % BLOCK).toBe(0);
    expect(begun).toHaveLength(39);
    expect(begun.at(-1)!.integrated).toBeCloseTo(whole.at(-1)!.integrated, 0);
  });

  it('is the same whether or not the channels were the same at first', () => {
    const pcm = synthesize(48_000 * 4, { channels: 2, seed: 9 });
    for (let index = 0; index < 50_000; index += 1) pcm[2 * index + 1] = pcm[2 * index] as number;
    const split = Int16Array.from(pcm);
    // Stereo from its first sample on, by the least that there is.
    split[1]! += 1;
    const [one, other] = [readings(pcm), readings(split)];
    for (const [index, reading] of one.entries()) {
      expect(reading.momentary).toBeCloseTo(other[index]!.momentary, 4);
      expect(reading.truePeak).toBeCloseTo(other[index]!.truePeak, 6);
    }
  });

  it('tells since when there is silence', () => {
    const quiet = new Int16Array(96_000);
    // It ends 20 samples before the block does: the interpolation reaches 11 samples further.
    const sound = tone(440, -20, 1);
    const out = readings(joined(sound.fill(0, 2 * 47_980), quiet, tone(440, -20, 1)));
    expect(out[9]!.silentSince).toBeNull();
    expect(out[15]).toMatchObject({ silentSince: 48_000, momentary: -Infinity });
    expect(out[19]).toMatchObject({ at: 96_000, silentSince: 48_000 });
    expect(out[20]!.silentSince).toBeNull();
    expect(readings(tone(440, -61, 1)).at(-1)!.silentSince).toBe(0);
  });
});

describe('true peak', () => {
  it('finds the top between the samples', () => {
    // A quarter of the rate, sampled 45 degrees off the tops: samples reach 3 dB less.
    const pcm = tone(12_000, -6, 1, Math.PI / 4);
    const sample = Math.max(...pcm.subarray(4800, 9600)) / 32_768;
    expect(20 * Math.log10(sample)).toBeCloseTo(-9, 1);
    expect(readings(pcm).at(-1)!.truePeak).toBeGreaterThan(-6.3);
    expect(readings(pcm).at(-1)!.truePeak).toBeLessThan(-5.8);
  });

  it('is the same whether or not it skips what cannot be a peak, in pieces of any length', () => {
    const random = seededRandom(17);
    for (let round = 0; round < 300; round += 1) {
      const [meter, thorough] = [new TruePeak(), new TruePeak()];
      const loud = random();
      const sound = Float32Array.from({ length: 400 }, () =>
        random() < loud / 20 ? 2 * random() - 1 : (2 * random() - 1) / 10,
      );
      let expected = 0;
      for (let at = 0; at < sound.length; at += 1) {
        thorough.write(sound, at, at + 1);
        // Nothing has been greater than what it is asked about: it never skips.
        expected = Math.max(expected, thorough.take());
      }
      for (let at = 0; at < sound.length; ) {
        const next = Math.min(sound.length, at + 1 + Math.floor(40 * random()));
        meter.write(sound, at, next);
        at = next;
      }
      expect(meter.take()).toBe(expected);
    }
  });
});

describe('against ffmpeg', () => {
  const pcm = synthesize(48_000 * 20, { channels: 2, seed: 3 });
  const printed = execFileSync(
    'ffmpeg',
    '-v error -f s16le -ar 48000 -ac 2 -i - -af ebur128=metadata=1:peak=true,ametadata=print:file=- -f null -'.split(
      ' ',
    ),
    { input: Buffer.from(pcm.buffer), maxBuffer: 2 ** 26 },
  ).toString();
  const theirs = (key: string): number[] =>
    [...printed.matchAll(new RegExp(`lavfi\\.r128\\.${key}=(\\S+)`, 'g'))].map(([, value]) =>
      Number(value),
    );
  const ours = readings(pcm);

  it.each([
    ['M', 'momentary', 4, 0.1],
    ['S', 'shortTerm', 30, 0.1],
    ['I', 'integrated', 10, 0.1],
  ] as const)('%s is as by ebur128, within 0.1 LU', (key, name, from, most) => {
    const values = theirs(key);
    expect(values.length).toBeGreaterThan(190);
    for (let index = from; index < values.length; index += 1) {
      if (values[index]! <= -70) continue;
      expect(Math.abs(ours[index]![name] - values[index]!)).toBeLessThan(most);
    }
  });

  it('the true peak is as by ebur128, within 0.2 dB', () => {
    const left = theirs('true_peaks_ch0').at(-1)!;
    const right = theirs('true_peaks_ch1').at(-1)!;
    const expected = 20 * Math.log10(Math.max(left, right));
    expect(Math.abs(ours.at(-1)!.truePeak - expected)).toBeLessThan(0.2);
  });
});
