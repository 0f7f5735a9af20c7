import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Piece } from '../../../server/packager/track.ts';
import { findBursts } from '../../helpers/burst-detector.ts';
import { measuringSignal } from '../../helpers/measuring-signal.ts';
import { seededRandom } from '../../helpers/seeded-random.ts';
import {
  BEGIN,
  Bench,
  decodeAac,
  framesFrom,
  level,
  publish,
  silence,
  stretch,
  withPacket,
} from './sound.ts';
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

const isAlive = (pid: number): boolean => {
  try {
    // A zombie is a process that nobody waited for.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a child that is killed', () => {
  it.each(['libfdk_aac', 'aac'] as const)(
    'is replaced within a second, and units of %s go on without a hole or a doubled one',
    async (name) => {
      bench = new Bench({ encoders: [name] });
      await bench.transcoder.available();
      await bench.feed(pieces.slice(0, 251));
      const first = bench.transcoder.pid!;
      process.kill(first, 'SIGKILL');
      // The next frames come while there is no child.
      for (const piece of pieces.slice(251, 260)) bench.transcoder.push(piece);
      const restarted = await until(
        () => bench.transcoder.pid !== undefined && bench.transcoder.pid !== first,
        2000,
      );
      expect(restarted).toBeLessThan(1000);
      await bench.feed(pieces.slice(260));
      await bench.finish(expected.length);
      expect(isAlive(first)).toBe(false);
      expectWholeSound(bench);
      expect(bench.transcoder.counters).toMatchObject({
        restarts: 1,
        silentUnits: 0,
        strayUnits: 0,
      });
    },
  );

  it('again and again, still costs nothing of the sound', async () => {
    bench = new Bench();
    await bench.transcoder.available();
    for (let kill = 0; kill < 3; kill += 1) {
      await bench.feed(pieces.slice(kill * 100, (kill + 1) * 100));
      const { pid } = bench.transcoder;
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
      await until(() => bench.transcoder.pid !== undefined && bench.transcoder.pid !== pid, 2000);
    }
    await bench.feed(pieces.slice(300));
    await bench.finish(expected.length);
    expectWholeSound(bench);
    expect(bench.transcoder.counters).toMatchObject({ restarts: 3, silentUnits: 0 });
  });

  it('changes nothing for the loudness of the programme', async () => {
    bench = new Bench();
    await bench.transcoder.available();
    await bench.feed(pieces.slice(0, 301));
    process.kill(bench.transcoder.pid!, 'SIGKILL');
    await bench.feed(pieces.slice(301));
    await bench.finish(expected.length);
    expect(bench.readings.map(({ at }) => at)).toEqual(
      Array.from({ length: SECONDS * 10 }, (_, index) => BEGIN + (index + 1) * 4800),
    );
    const { integrated } = bench.readings.at(-1)!;
    expect(integrated).toBeCloseTo(bench.readings[55]!.integrated, 0);
  });
});

it('the fade of the programme before does not count for the next', async () => {
  bench = new Bench();
  await bench.transcoder.available();
  // It ends where a block of 100 ms does, within a burst, and fades in the next block.
  const loud = publish(measuringSignal(2)).slice(0, 55);
  const [end, next] = [BEGIN + loud.length * 960, 2 * BEGIN];
  const quiet = framesFrom(next, loud.slice(0, 50)).map((piece) =>
    piece.kind === 'frame'
      ? { ...piece, frame: withPacket(piece.frame, Uint8Array.of(0xfc, 0xff, 0xfe)) }
      : piece,
  );
  await bench.feed([stretch(BEGIN), ...framesFrom(BEGIN, loud)]);
  bench.transcoder.resetLoudness();
  await bench.feed([silence(end, 15_360), stretch(next), ...quiet]);
  bench.transcoder.end();
  const last = next + quiet.length * 960;
  await until(() => bench!.readings.some(({ at }) => at === last), 5000);
  const ofNext = bench.readings.filter(({ at }) => at > next);
  expect(ofNext).toHaveLength(quiet.length / 5);
  for (const { integrated, truePeak } of ofNext)
    expect([integrated, truePeak]).toEqual([-Infinity, -Infinity]);
});

describe('a child that hangs', () => {
  it('is replaced after 2 s of sound, from what was kept', async () => {
    bench = new Bench();
    await bench.transcoder.available();
    await bench.feed(pieces.slice(0, 101));
    const first = bench.transcoder.pid!;
    process.kill(first, 'SIGSTOP');
    // Live pace: the watchdog judges by both clocks.
    for (const piece of pieces.slice(101, 261)) {
      bench.transcoder.push(piece);
      await sleep(19);
    }
    await until(() => bench.transcoder.behind < 5120, 5000);
    expect(bench.transcoder.pid).not.toBe(first);
    expect(isAlive(first)).toBe(false);
    await bench.feed(pieces.slice(261));
    await bench.finish(expected.length);
    expectWholeSound(bench);
    expect(bench.transcoder.counters).toMatchObject({ restarts: 1, stalls: 1, silentUnits: 0 });
  });

  it('is not what a child is taken for when it was the parent that stood still', async () => {
    bench = new Bench();
    await bench.transcoder.available();
    await bench.feed(pieces.slice(0, 101));
    const first = bench.transcoder.pid!;
    bench.transcoder.push(pieces[101] as Piece);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2600);
    // What has come meanwhile is read before the watchdog looks, and before the child can answer.
    for (const piece of pieces.slice(102, 232)) bench.transcoder.push(piece);
    await bench.feed(pieces.slice(232));
    await bench.finish(expected.length);
    expectWholeSound(bench);
    expect(bench.transcoder.pid).toBe(first);
    expect(bench.transcoder.counters).toMatchObject({ restarts: 0, stalls: 0, silentUnits: 0 });
  });

  it('is not what a child is taken for that had nothing to do', async () => {
    bench = new Bench();
    await bench.transcoder.available();
    const first = bench.transcoder.pid!;
    await sleep(2400);
    // Stopped until the watchdog has looked at least once: it cannot answer any sooner than that.
    process.kill(first, 'SIGSTOP');
    for (const piece of pieces.slice(0, 151)) bench.transcoder.push(piece);
    await sleep(600);
    process.kill(first, 'SIGCONT');
    await bench.feed(pieces.slice(151));
    await bench.finish(expected.length);
    expectWholeSound(bench);
    expect(bench.transcoder.pid).toBe(first);
    expect(bench.transcoder.counters).toMatchObject({ restarts: 0, stalls: 0, silentUnits: 0 });
  });

  it('makes the parent give sound up rather than grow; the timeline stays whole', async () => {
    let hurry = 0;
    bench = new Bench({ now: () => performance.now() + hurry });
    await bench.transcoder.available();
    await bench.feed(pieces.slice(0, 51));
    process.kill(bench.transcoder.pid!, 'SIGSTOP');
    let most = 0;
    for (const piece of pieces.slice(51)) {
      hurry += 20;
      bench.transcoder.push(piece);
      most = Math.max(most, bench.transcoder.behind);
    }
    expect(most).toBeLessThanOrEqual(8 * 48_000);
    await bench.finish(expected.length);
    expect(timesOf(bench.of('aac128'))).toEqual(expected);
    const { restarts, silentUnits, lostFrames, strayUnits } = bench.transcoder.counters;
    expect(restarts).toBe(1);
    expect(strayUnits).toBe(0);
    expect(lostFrames).toBeGreaterThan(100);
    // What was given up is silence that every decoder takes, and the sound after it is in its place.
    const [left] = decodeAac(bench.of('aac128'));
    const begin = bench.of('aac128').findIndex(({ bytes }) => bytes.length === 7);
    const hush = left.subarray((begin + 2) * 1024, (begin + silentUnits) * 1024);
    expect(hush.every((one) => one === 0)).toBe(true);
    const lastBurst = findBursts(left, 48_000).at(-1)!;
    expect(lastBurst.time).toBeCloseTo((SECONDS - 1) * 1000 + 6.5, 1);
  });
});

describe('corrupt packets', () => {
  it('are counted and concealed, never louder, and the child survives', async () => {
    bench = new Bench();
    await bench.transcoder.available();
    const { pid } = bench.transcoder;
    const damaged = frames.map((frame, index) => {
      // Wrong length, a code-3 packet without frames, nothing; then a run of ten.
      if (index === 100) return withPacket(frame, Uint8Array.of(0xff));
      if (index === 200) return withPacket(frame, Uint8Array.of(0xfc | 3, 0));
      if (index === 220) return withPacket(frame, new Uint8Array(0));
      if (index >= 300 && index < 310) return withPacket(frame, Uint8Array.of(0x0b, 0x80, 1));
      return frame;
    });
    await bench.feed([stretch(BEGIN), ...framesFrom(BEGIN, damaged)]);
    await bench.finish(expected.length);
    expect(timesOf(bench.of('aac128'))).toEqual(expected);
    expect(bench.transcoder.counters).toMatchObject({ corruptFrames: 13, restarts: 0 });
    expect(bench.transcoder.pid).toBe(pid);
    const [left] = decodeAac(bench.of('aac128'));
    const loudest = level(left.subarray(250 * 960, 290 * 960));
    for (let frame = 300; frame < 310; frame += 1)
      expect(level(left.subarray(frame * 960, (frame + 1) * 960))).toBeLessThan(loudest + 3);
    // Ten in a row are silence in the end.
    expect(level(left.subarray(307 * 960, 309 * 960))).toBeLessThan(-60);
  });

  it('of any kind leave the timeline whole (seed 21)', async () => {
    bench = new Bench();
    await bench.transcoder.available();
    const random = seededRandom(21);
    const mutated = frames.map((frame) => {
      const packet = Uint8Array.from(frame.packet);
      for (let flips = Math.floor(random() * 4); flips > 0; flips -= 1)
        packet[Math.floor(random() * packet.length)]! ^= 1 << Math.floor(random() * 8);
      return withPacket(frame, packet.subarray(0, 1 + Math.floor(random() * packet.length)));
    });
    await bench.feed([stretch(BEGIN), ...framesFrom(BEGIN, mutated)]);
    await bench.finish(expected.length);
    expect(timesOf(bench.of('aac128'))).toEqual(expected);
    expect(bench.transcoder.counters).toMatchObject({ restarts: 0, silentUnits: 0 });
    // Most damaged packets are valid ones of another sound.
    expect(bench.transcoder.counters.corruptFrames).toBeGreaterThan(0);
  });
});

describe('the end', () => {
  it('leaves no process behind', async () => {
    bench = new Bench();
    await bench.transcoder.available();
    const pid = bench.transcoder.pid!;
    await bench.transcoder.close();
    expect(isAlive(pid)).toBe(false);
    bench.transcoder.push(stretch(BEGIN));
  });

  it('comes to the child of a parent that was killed', async () => {
    bench = new Bench();
    const script = `
      import { ChildTranscoder } from '${new URL('../../../server/transcoder/transcoder.ts', import.meta.url)}';
      const log = { warn() {}, error() {} };
      const transcoder = new ChildTranscoder({}, { log, now: () => performance.now(), lacksAac() {} });
      await transcoder.available();
      process.stdout.write(String(transcoder.pid));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script]);
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(printed.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid), 2000);
    expect(isAlive(pid)).toBe(false);
  });

  it('comes even to a child that is stopped', async () => {
    bench = new Bench();
    await bench.transcoder.available();
    const pid = bench.transcoder.pid!;
    process.kill(pid, 'SIGSTOP');
    await bench.transcoder.close();
    expect(isAlive(pid)).toBe(false);
  });

  it('without an encoder, is said once; loudness and low rates go on', async () => {
    bench = new Bench({ encoders: [] });
    expect(await bench.transcoder.available()).toBe(false);
    bench.transcoder.setLowRate(['opus24']);
    await bench.feed(pieces.slice(0, 101));
    await until(() => bench.frames.length >= 100, 5000);
    expect(bench.units.size).toBe(0);
    expect(bench.frames).toHaveLength(100);
    expect(bench.readings).toHaveLength(20);
    expect(bench.warnings).toHaveLength(1);
  });
});
