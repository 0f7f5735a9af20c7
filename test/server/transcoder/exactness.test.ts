import { afterEach, describe, expect, it } from 'vitest';
import type { AacName } from '../../../server/transcoder/messages.ts';
import { findBursts } from '../../helpers/burst-detector.ts';
import { measuringSignal } from '../../helpers/measuring-signal.ts';
import {
  BEGIN,
  Bench,
  covering,
  decodeAac,
  decodeOpus,
  framesFrom,
  level,
  publish,
  silence,
  stretch,
} from './sound.ts';

const ENCODERS: readonly AacName[] = ['libfdk_aac', 'aac'];
/** A quarter of a sample, as ms: four times finer than what is demanded. */
const EXACT = 0.25 / 48;

const SECONDS = 30;

let bench: Bench | undefined;
afterEach(() => bench?.transcoder.close());

const timesOf = (units: readonly { readonly at: number }[]): number[] => units.map(({ at }) => at);

const steady = (sound: Float32Array, times: readonly number[]): number =>
  level(Float32Array.from(times.flatMap((at) => [...sound.subarray(at, at + 4800)])));

describe('half a minute of the measuring signal', () => {
  it.each(ENCODERS)('decodes from %s to where and as loud as it was published', async (name) => {
    bench = new Bench({ encoders: [name] });
    expect(await bench.transcoder.available()).toBe(true);
    const frames = publish(measuringSignal(SECONDS));
    await bench.feed([stretch(BEGIN), ...framesFrom(BEGIN, frames)]);
    const end = BEGIN + frames.length * 960;
    const expected = covering([BEGIN, end]);
    await bench.finish(expected.length);
    const reference = decodeOpus(frames.map(({ packet }) => packet));
    const sent = findBursts(reference, 48_000);
    expect(sent).toHaveLength(SECONDS);
    for (const rendition of ['aac128', 'aac64']) {
      const units = bench.of(rendition);
      expect(timesOf(units)).toEqual(expected);
      const [left, right] = decodeAac(units);
      expect(left.length).toBe(expected.length * 1024);
      const heard = findBursts(left, 48_000);
      expect(heard.map(({ identity }) => identity)).toEqual(sent.map(({ identity }) => identity));
      const errors = heard.map(({ time }, index) => Math.abs(time - sent[index]!.time));
      // The first burst lies in the encoder's first unit, which has no predecessor.
      expect(Math.max(...errors.slice(1))).toBeLessThan(EXACT);
      expect(errors[0]).toBeLessThan(1 / 48);
      expect(Math.abs(level(left) - level(reference))).toBeLessThan(0.5);
      expect(Math.abs(level(left) - level(right))).toBeLessThan(0.5);
    }
    expect(bench.transcoder.counters).toEqual({
      restarts: 0,
      stalls: 0,
      corruptFrames: 0,
      lostFrames: 0,
      silentUnits: 0,
      strayUnits: 0,
    });
  });
});

describe('stretches', () => {
  it.each(ENCODERS)(
    'with silences in them and jumps between them are exactly covered by %s',
    async (name) => {
      bench = new Bench({ encoders: [name] });
      const signal = measuringSignal(16);
      const frames = publish(signal);
      // 4 s of sound, 1.2 s of silence, 3 s; then, after a jump, 10 ms frames for an uneven length.
      const quiet = BEGIN + 4 * 48_000;
      const firstEnd = quiet + 57_600 + 3 * 48_000;
      const second = BEGIN + 3 * 184_320;
      const third = second + 2 * 184_320;
      const short = publish(signal.subarray(0, 2 * 48_000 + 480), { duration: 480, channels: 1 });
      const secondEnd = second + short.length * 480;
      await bench.feed([
        stretch(BEGIN),
        ...framesFrom(BEGIN, frames.slice(0, 200)),
        silence(quiet, 57_600),
        ...framesFrom(quiet + 57_600, frames.slice(260, 410)),
        stretch(second),
        ...framesFrom(second, short),
        stretch(third),
        ...framesFrom(third, frames.slice(0, 100)),
      ]);
      const thirdEnd = third + 100 * 960;
      const expected = covering([BEGIN, firstEnd], [second, secondEnd], [third, thirdEnd]);
      await bench.finish(expected.length);
      const units = bench.of('aac128');
      expect(timesOf(units)).toEqual(expected);
      expect(timesOf(bench.of('aac64'))).toEqual(expected);

      const partOf = (begin: number, end: number): Float32Array =>
        decodeAac(units.filter(({ at }) => at >= begin && at < end))[0];
      const first = partOf(BEGIN, firstEnd);
      const seconds = findBursts(first, 48_000).map(({ time }) => Math.round(time));
      // 312 samples of Opus' own lookahead are 6.5 ms; the frames after the silence begin 5.2 s in.
      expect(seconds).toEqual(
        [7, 1007, 2007, 3007, 6007, 7007, 8007].map((time) => expect.closeTo(time, -0.5)),
      );
      const hush = first.subarray(4 * 48_000 + 2400, 4 * 48_000 + 57_600 - 1024);
      expect(Math.max(...hush.map(Math.abs))).toBeLessThan(1e-3);
      const mono = decodeOpus(short.map(({ packet }) => packet));
      const [inSecond, inMono] = [
        findBursts(partOf(second, secondEnd), 48_000),
        findBursts(mono, 48_000),
      ];
      expect(inSecond[1]!.time - inMono[1]!.time).toBeCloseTo(0, 2);
      expect(steady(partOf(second, secondEnd), [48_000 + 9600])).toBeCloseTo(
        steady(mono, [48_000 + 9600]),
        0,
      );
      // The last part of a stretch is whole: its last sound was not left in the encoder.
      const tail = partOf(third, thirdEnd).subarray(100 * 960 - 3000, 100 * 960 - 200);
      expect(level(tail)).toBeGreaterThan(-25);
    },
  );
});
