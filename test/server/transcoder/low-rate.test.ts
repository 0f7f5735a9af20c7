import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame } from '../../../shared/frame.ts';
import { opusChannels, opusDuration } from '../../../shared/opus.ts';
import { findBursts } from '../../helpers/burst-detector.ts';
import { measuringSignal } from '../../helpers/measuring-signal.ts';
import { BEGIN, Bench, decodeOpus, framesFrom, level, publish, silence, stretch } from './sound.ts';

let bench: Bench;
afterEach(() => bench.transcoder.close());

const signal = measuringSignal(6);

const settle = async (): Promise<void> => {
  // Less than that gathers while no low rate is on.
  while (bench.transcoder.behind >= 5 * 1024) await sleep(5);
  await sleep(30);
};

describe('low-rate renditions', () => {
  it('carry the sequence and timestamp of every frame of the source, at their bit rates', async () => {
    bench = new Bench();
    bench.transcoder.setLowRate(['opus48', 'opus24']);
    const frames = publish(signal, { epoch: 7 });
    await bench.feed([stretch(BEGIN), ...framesFrom(BEGIN, frames)]);
    await settle();
    for (const [id, bitrate] of [
      [1, 48_000],
      [2, 24_000],
    ] as const) {
      const own = bench.frames.filter(({ rendition }) => rendition === id);
      expect(own).toHaveLength(frames.length);
      for (const [index, frame] of own.entries()) {
        const { sequence, timestamp, epoch, duration } = frames[index]!;
        expect(frame).toMatchObject({ sequence, timestamp, epoch, duration });
        expect(opusDuration(frame.packet)).toBe(duration);
        // A listener must be able to parse what is made of it.
        expect(() => decodeFrame(encodeFrame({ flags: 0, ...frame }, frame.packet))).not.toThrow();
      }
      const bytes = own.reduce((sum, { packet }) => sum + packet.length, 0);
      expect((bytes * 8) / 6 / bitrate).toBeGreaterThan(0.6);
      expect((bytes * 8) / 6 / bitrate).toBeLessThan(1.15);
      const source = findBursts(decodeOpus(frames.map(({ packet }) => packet)), 48_000);
      const heard = findBursts(decodeOpus(own.map(({ packet }) => packet)), 48_000);
      // Encoded a second time: later by Opus' lookahead of 312 samples.
      for (const [index, { time }] of heard.entries())
        expect(time - source[index]!.time).toBeCloseTo(6.5, 1);
    }
  });

  it('begin and end while the sound goes on, settled from their first frame', async () => {
    bench = new Bench();
    const frames = publish(signal);
    const pieces = framesFrom(BEGIN, frames);
    await bench.feed([stretch(BEGIN), ...pieces.slice(0, 120)]);
    await settle();
    expect(bench.frames).toEqual([]);
    bench.transcoder.setLowRate(['opus48']);
    await bench.feed(pieces.slice(120, 200));
    await settle();
    bench.transcoder.setLowRate([]);
    await bench.feed(pieces.slice(200));
    await settle();
    expect(bench.frames.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 80 }, (_, index) => 120 + index),
    );
    const decoded = decodeOpus(bench.frames.map(({ packet }) => packet));
    const source = decodeOpus(frames.map(({ packet }) => packet)).subarray(120 * 960, 200 * 960);
    // Neither the second frame nor a later one is louder or softer than the source.
    for (const frame of [1, 2, 3, 10])
      expect(
        Math.abs(
          level(decoded.subarray(frame * 960 + 312, (frame + 1) * 960)) -
            level(source.subarray(frame * 960, (frame + 1) * 960 - 312)),
        ),
      ).toBeLessThan(1.5);
  });

  it('are mono when the source is, and have no frames where it has none', async () => {
    bench = new Bench();
    bench.transcoder.setLowRate(['opus24']);
    const frames = publish(signal.subarray(0, 96_000), { channels: 1, duration: 480 });
    const quiet = BEGIN + 100 * 480;
    await bench.feed([
      stretch(BEGIN),
      ...framesFrom(BEGIN, frames.slice(0, 100)),
      silence(quiet, 4800),
      ...framesFrom(quiet + 4800, frames.slice(110)),
    ]);
    await settle();
    expect(bench.frames.map(({ sequence }) => sequence)).toEqual(
      frames.map(({ sequence }) => sequence).filter((one) => one < 100 || one >= 110),
    );
    for (const { packet } of bench.frames) expect(opusChannels(packet[0]!)).toBe(1);
  });

  it('go on in a new child after a crash, no frame twice and none missing', async () => {
    bench = new Bench();
    bench.transcoder.setLowRate(['opus24']);
    await bench.transcoder.available();
    const frames = publish(signal);
    const pieces = [stretch(BEGIN), ...framesFrom(BEGIN, frames)];
    await bench.feed(pieces.slice(0, 150));
    process.kill(bench.transcoder.pid!, 'SIGKILL');
    await bench.feed(pieces.slice(150));
    await settle();
    expect(bench.transcoder.counters.restarts).toBe(1);
    expect(bench.frames.map(({ sequence }) => sequence)).toEqual(
      frames.map(({ sequence }) => sequence),
    );
  });
});
