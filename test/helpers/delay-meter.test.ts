import opus from '@discordjs/opus';
import { describe, expect, it } from 'vitest';
import { millis } from '../../shared/time.ts';
import { describeDelay, measureDelay, spreadOf } from './delay-meter.ts';
import { measuringSignal } from './measuring-signal.ts';
import { seededRandom } from './seeded-random.ts';
import { type TapMark, TapRecording } from './tap-recording.ts';

const BEGIN = 1_700_000_000_000;

/**
 * A recording whose first sample passed the tap at `wall`, seen through a clock of whole
 * milliseconds by callbacks that come up to 15 ms late; the context stands still for `still` ms at
 * `stillAt` ms.
 */
const recording = (
  pcm: Float32Array<ArrayBuffer>,
  rate: number,
  wall: number,
  { still = 0, stillAt = 0, seed = 1 } = {},
): TapRecording => {
  const random = seededRandom(seed);
  const marks: TapMark[] = [];
  for (let frame = 0; frame < pcm.length; frame += 4800) {
    const at = (frame / rate) * 1000;
    const late = random() < 0.5 ? 0 : 15 * random();
    marks.push({
      frame,
      wall: Math.floor(wall + at + (at < stillAt ? 0 : still) + late),
      spread: 9,
    });
  }
  return new TapRecording({ rate, firstFrame: 1280, pcm, marks, missed: 0, underruns: 0 });
};

const delayed = (signal: Float32Array, rate: number, delay: number): Float32Array<ArrayBuffer> => {
  const pcm = new Float32Array(signal.length + Math.round((delay * rate) / 1000));
  pcm.set(signal, pcm.length - signal.length);
  return pcm;
};

const throughOpus = (pcm: Float32Array, lost: readonly number[]): Float32Array<ArrayBuffer> => {
  const encoder = new opus.OpusEncoder(48_000, 1);
  encoder.setBitrate(96_000);
  const decoder = new opus.OpusEncoder(48_000, 1);
  const out = new Float32Array(pcm.length);
  for (let frame = 0; frame < pcm.length / 960; frame += 1) {
    const levels = Int16Array.from(pcm.subarray(frame * 960, (frame + 1) * 960), (sample) =>
      Math.round(sample * 32_767),
    );
    const packet = encoder.encode(Buffer.from(levels.buffer));
    const decoded = decoder.decode(lost.includes(frame) ? Buffer.alloc(0) : packet);
    for (let index = 0; index < 960; index += 1)
      out[frame * 960 + index] = decoded.readInt16LE(index * 2) / 32_768;
  }
  return out;
};

describe('the delay meter', () => {
  it.each([
    [48_000, 44_100],
    [44_100, 48_000],
  ])('tells the delay from a tap at %i Hz to one at %i Hz within 2 ms', (from, to) => {
    // The page that listens opened its context 700 ms later than the one that speaks.
    const capture = recording(measuringSignal(10, from), from, BEGIN, { seed: 2 });
    const heard = delayed(measuringSignal(10, to), to, 120 - 700 + 1000);
    const playback = recording(heard, to, BEGIN + 700 - 1000, { seed: 3 });
    const report = measureDelay(capture, playback);
    for (const spread of [spreadOf(report.bursts), spreadOf(report.frames)]) {
      expect(spread.least).toBeGreaterThan(118);
      expect(spread.most).toBeLessThan(122);
    }
    expect(report.bursts).toHaveLength(10);
    expect(report.compared).toBe(450);
    expect(report.discontinuities).toEqual([]);
    expect(playback.firstSound()! - (BEGIN + 120)).toBeCloseTo(0, -1);
  });

  it('lists the frames that concealment made up, by when they were heard', () => {
    const signal = measuringSignal(10);
    const lost = [3 * 50 + 20, 7 * 50 + 2];
    const capture = recording(signal, 48_000, BEGIN);
    const playback = recording(throughOpus(signal, lost), 48_000, BEGIN + 60);
    const report = measureDelay(capture, playback);
    const made = report.discontinuities.filter(({ verdict }) => verdict === 'missing');
    expect(made.map(({ second, slot }) => second * 50 + slot)).toEqual(lost);
    expect(Math.abs(made[0]!.at - (BEGIN + 60 + 3400))).toBeLessThan(30);
    expect(Math.abs(made[0]!.after - 3400)).toBeLessThan(30);
    expect(made.every(({ shift }) => Math.abs(shift) < 2)).toBe(true);
    expect(spreadOf(report.bursts).p50).toBeCloseTo(66.5, 0);
    expect(describeDelay(report)).toMatch(/^bursts: 10, p50 6\d\.\d ms/);
  });

  it('tells frames that were cut, as time-stretch does, from frames made up in their place', () => {
    const signal = measuringSignal(6);
    const cut = new Float32Array(signal.length);
    // Two frames lose half of themselves each.
    const from = 2.51 * 48_000;
    cut.set(signal.subarray(0, from));
    cut.set(signal.subarray(from + 960), from);
    const capture = recording(signal, 48_000, BEGIN);
    const { discontinuities } = measureDelay(capture, recording(cut, 48_000, BEGIN + 90));
    expect(discontinuities.map(({ second, slot }) => `${second}/${slot}`)).toEqual([
      '2/25',
      '2/26',
    ]);
    for (const { shift } of discontinuities) expect(Math.abs(shift + 20)).toBeLessThan(2);
  });

  it('does not blame the path for what the microphone lost', () => {
    const signal = measuringSignal(6);
    signal.fill(0, 2.5 * 48_000, 2.52 * 48_000);
    const capture = recording(signal, 48_000, BEGIN);
    const report = measureDelay(capture, recording(delayed(signal, 48_000, 50), 48_000, BEGIN));
    expect(report).toMatchObject({ discontinuities: [], spoilt: 1, compared: 250 });
  });

  it('follows a loudspeaker that stood still and is later from then on', () => {
    const signal = measuringSignal(12);
    const capture = recording(signal, 48_000, BEGIN);
    const playback = recording(signal, 48_000, BEGIN + 40, { still: 200, stillAt: 6000 });
    const { bursts } = measureDelay(capture, playback);
    expect(bursts.slice(0, 5).every(({ delay }) => Math.abs(delay - 40) < 2)).toBe(true);
    expect(bursts.slice(7).every(({ delay }) => Math.abs(delay - 240) < 2)).toBe(true);
    expect(Math.abs(playback.jitter.lost - 200)).toBeLessThan(2);
  });

  it('finds no delay for sound that was not said while the microphone was recorded', () => {
    const capture = recording(measuringSignal(3), 48_000, BEGIN);
    const playback = recording(measuringSignal(20), 48_000, BEGIN);
    expect(measureDelay(capture, playback).bursts).toHaveLength(3);
    expect(() => capture.wallAt(millis(60_000))).toThrow('Nothing was recorded near 60000 ms');
  });
});
