/** Children that are of no use, and more sound at once than one child takes. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Piece } from '../../../server/packager/track.ts';
import type { AacName } from '../../../server/transcoder/messages.ts';
import { BEGIN, Bench, covering, framesFrom, stretch } from './sound.ts';
import {
  expected,
  expectWholeSound,
  frames,
  pieces,
  SECONDS,
  timesOf,
  until,
} from './whole-sound.ts';

let bench: Bench;
afterEach(() => bench.transcoder.close());

it('what a publisher kept over an outage becomes sound, all of it, though it comes at once', async () => {
  bench = new Bench();
  await bench.transcoder.available();
  const { pid } = bench.transcoder;
  // 48 s, of which a child has 2 s under way at a time.
  const long = [stretch(BEGIN), ...framesFrom(BEGIN, [...frames, ...frames, ...frames, ...frames])];
  for (const piece of long) bench.transcoder.push(piece);
  await bench.finish(covering([BEGIN, BEGIN + 4 * SECONDS * 48_000]).length);
  expect(timesOf(bench.of('aac128'))).toEqual(covering([BEGIN, BEGIN + 4 * SECONDS * 48_000]));
  expect(bench.transcoder.counters).toMatchObject({
    ...{ restarts: 0, lostFrames: 0, silentUnits: 0 },
  });
  expect(bench.transcoder.pid).toBe(pid);
});

describe('a child that cannot do its work', () => {
  it('for want of the encoder that the one before had, is replaced until one has it', async () => {
    const encoders: AacName[] = ['aac'];
    bench = new Bench({ encoders });
    await bench.transcoder.available();
    await bench.feed(pieces.slice(0, 101));
    // What an installation under way does to the modules of a running server.
    encoders.length = 0;
    process.kill(bench.transcoder.pid!, 'SIGKILL');
    await until(() => bench.transcoder.counters.stalls > 0, 10_000);
    encoders.push('aac');
    await bench.feed(pieces.slice(101));
    await bench.finish(expected.length);
    expectWholeSound(bench);
    expect(bench.transcoder.counters).toMatchObject({ silentUnits: 0, lostFrames: 0 });
    expect(bench.warnings.join()).toContain('It finds no AAC encoder any more.');
  });

  it('by dying before it is ready is no verdict on AAC for ever', async () => {
    bench = new Bench();
    const ended = new Set<number | undefined>([undefined]);
    while (ended.size <= 3) {
      await until(() => !ended.has(bench.transcoder.pid), 3000);
      const { pid } = bench.transcoder;
      ended.add(pid);
      process.kill(pid!, 'SIGKILL');
    }
    expect(await bench.transcoder.available()).toBe(false);
    expect(bench.transcoder.aac).toBe(false);
    await until(() => bench.transcoder.aac === true, 10_000);
    expect(bench.transcoder.aac).toBe(true);
    await bench.feed(pieces.slice(0, 101));
    await until(() => bench.units.size > 0, 5000);
    expect(bench.units.size).toBe(2);
  });

  it('because the machine refuses to start one, costs nobody else anything', async () => {
    // Node refuses an argument with a zero byte at once, as it does when there is no memory.
    bench = new Bench({ encoders: ['\0' as AacName] });
    bench.transcoder.push(pieces[0] as Piece);
    expect(await bench.transcoder.available()).toBe(false);
    expect(bench.warnings.length).toBeGreaterThanOrEqual(3);
    expect(bench.warnings[0]).toContain('It could not be started');
  });
});
