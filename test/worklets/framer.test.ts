import { describe, expect, it } from 'vitest';
import { samples } from '../../shared/time.ts';
import { ChannelMix } from '../../worklets/channel-mix.ts';
import { Framer } from '../../worklets/framer.ts';

const sine =
  (frequency: number, rate: number, amplitude = 0.5) =>
  (index: number) =>
    amplitude * Math.sin((2 * Math.PI * frequency * index) / rate);

type Signal = (index: number) => number;

/** Cuts signals into quanta of changing lengths, feeds a framer, returns all its frames. */
const frames = (
  framer: Framer,
  signals: readonly Signal[],
  { from = 0, length, quantum = 128 }: { from?: number; length: number; quantum?: number },
) => {
  const out: Int16Array[] = [];
  for (let start = from; start < from + length; start += quantum) {
    const count = Math.min(quantum, from + length - start);
    const input = signals.map((signal) =>
      Float32Array.from({ length: count }, (_, k) => signal(start + k)),
    );
    let at = 0;
    while (at < count) {
      at += framer.write(input, at, count);
      if (!framer.full) continue;
      out.push(framer.pcm.slice());
      framer.clear();
    }
  }
  return out;
};

const joined = (parts: readonly Int16Array[]) =>
  Int16Array.from(parts.flatMap((part) => [...part]));

describe('at 48 kHz', () => {
  it.each([120, 240, 480, 960, 1920])(
    'frames of %i samples hold the input, to the bit',
    (frame) => {
      const framer = new Framer({ rate: 48_000, channels: 2, frame: samples(frame) });
      const left = sine(997, 48_000);
      const right = sine(313, 48_000);
      const pcm = joined(frames(framer, [left, right], { length: 48_000 }));
      expect(pcm.length).toBe(Math.floor(48_000 / frame) * frame * 2);
      const level = (signal: Signal, index: number) =>
        Math.round(Math.fround(signal(index)) * 32_768);
      expect(pcm).toEqual(pcm.map((_, index) => level(index % 2 === 0 ? left : right, index >> 1)));
    },
  );

  it('seven and a half quanta make a frame', () => {
    const framer = new Framer({ rate: 48_000, channels: 1, frame: samples(960) });
    expect(frames(framer, [sine(997, 48_000)], { length: 7 * 128 })).toHaveLength(0);
    expect(frames(framer, [sine(997, 48_000)], { length: 64 })).toHaveLength(1);
  });

  it('rounds to the nearest and clips', () => {
    const framer = new Framer({ rate: 48_000, channels: 1, frame: samples(120) });
    const levels = [1, -1, 1.5, -9, 0.4 / 32_768, 0.6 / 32_768, -0.6 / 32_768];
    const [pcm] = frames(framer, [(index) => levels[index] ?? 0], { length: 120 });
    expect([...pcm!.subarray(0, 7)]).toEqual([32_767, -32_768, 32_767, -32_768, 0, 1, -1]);
  });
});

describe('at another rate', () => {
  const rates = [8000, 16_000, 22_050, 32_000, 44_100, 88_200, 96_000, 192_000];

  it.each(rates)('%i Hz comes out as 48 kHz, each sample in its place', (rate) => {
    const framer = new Framer({ rate, channels: 1, frame: samples(960) });
    const pcm = joined(frames(framer, [sine(997, rate)], { length: rate, quantum: 128 }));
    expect(pcm.length).toBeGreaterThan(48_000 - 2 * 960);
    const expected = sine(997, 48_000);
    let error = 0;
    let power = 0;
    for (let index = 2000; index < pcm.length; index += 1) {
      error += (pcm[index]! / 32_768 - expected(index)) ** 2;
      power += expected(index) ** 2;
    }
    expect(10 * Math.log10(error / power)).toBeLessThan(-70);
  });

  it('the length of the quanta changes nothing', () => {
    const cut = (quantum: number) => {
      const framer = new Framer({ rate: 44_100, channels: 1, frame: samples(480) });
      return joined(frames(framer, [sine(440, 44_100)], { length: 22_050, quantum })).slice(
        0,
        23_040,
      );
    };
    for (const quantum of [1, 7, 256, 1000]) expect(cut(quantum)).toEqual(cut(128));
  });

  it('a restart makes the next device frame the first sample', () => {
    const framer = new Framer({ rate: 44_100, channels: 1, frame: samples(960) });
    frames(framer, [() => 0], { length: 1000 });
    framer.restart();
    const pcm = joined(frames(framer, [sine(997, 44_100)], { length: 44_100 }));
    const expected = sine(997, 48_000);
    // Up to one sample off: the resampler goes on from where it stood between two of them.
    for (let index = 100; index < 10_000; index += 1)
      expect(Math.abs(pcm[index]! / 32_768 - expected(index))).toBeLessThan(0.07);
  });
});

describe('holes', () => {
  it('a frame of which nothing was captured is hollow, a partly captured one is not', () => {
    const framer = new Framer({ rate: 48_000, channels: 1, frame: samples(960) });
    frames(framer, [sine(997, 48_000)], { length: 500 });
    const hollow: boolean[] = [];
    let left = 2000;
    while (left > 0) {
      left -= framer.writeHole(left);
      if (!framer.full) continue;
      hollow.push(framer.hollow);
      framer.clear();
    }
    const [last] = frames(framer, [() => 0.25], { length: 960 - 580 });
    hollow.push(framer.hollow);
    expect(hollow.slice(0, 2)).toEqual([false, true]);
    expect(last!.indexOf(8192)).toBe(580);
  });
});

describe('channels', () => {
  const mixed = (channels: 1 | 2, input: number[], gain?: number) => {
    const mix = new ChannelMix({ channels });
    if (gain !== undefined) mix.gain = gain;
    const planes = input.map((level) => new Float32Array(128).fill(level));
    mix.mix(planes, 0, 128);
    mix.mix(planes, 0, 128);
    return mix.output.map((plane) => plane[0]);
  };

  it('none are silence, one goes to both, two make one by their mean, a third is left out', () => {
    expect(mixed(2, [])).toEqual([0, 0]);
    expect(mixed(1, [])).toEqual([0]);
    expect(mixed(2, [0.5])).toEqual([0.5, 0.5]);
    expect(mixed(1, [0.5])).toEqual([0.5]);
    expect(mixed(2, [0.5, 0.25])).toEqual([0.5, 0.25]);
    expect(mixed(1, [0.5, 0.25])).toEqual([0.375]);
    expect(mixed(2, [0.5, 0.25, 1])).toEqual([0.5, 0.25]);
  });

  it('gain goes over a piece without a step', () => {
    const mix = new ChannelMix({ channels: 1 });
    mix.gain = 0;
    const ones = [new Float32Array(128).fill(1)];
    mix.mix(ones, 0, 128);
    const ramp = [1, ...mix.output[0]!];
    for (let index = 1; index < ramp.length; index += 1)
      expect(ramp[index - 1]! - ramp[index]!).toBeCloseTo(1 / 128, 5);
    mix.mix(ones, 0, 128);
    expect(mix.output[0]!.every((sample) => sample === 0)).toBe(true);
    expect(mixed(2, [0.25, 0.125], 2)).toEqual([0.5, 0.25]);
  });
});
