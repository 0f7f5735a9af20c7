import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { measuringSignal } from '../../helpers/measuring-signal.ts';
import { BEGIN, Bench, framesFrom, publish, stretch } from './sound.ts';

let bench: Bench;
afterEach(() => bench.transcoder.close());

const MINUTES = 6;
const SECONDS = 16;

/** Memory of a process in MB. */
const residentOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

it('the child needs no more memory after six minutes of sound than after two', async () => {
  bench = new Bench();
  await bench.transcoder.available();
  bench.transcoder.setLowRate(['opus24']);
  const frames = publish(measuringSignal(SECONDS));
  const resident: number[] = [];
  let at = BEGIN;
  for (let minute = 0; minute < MINUTES; minute += 1) {
    // Every minute a new stretch, so that encoders come and go.
    await bench.feed([stretch(at)]);
    for (let round = 0; round < 4; round += 1) {
      await bench.feed(framesFrom(at, frames.slice(0, 750)));
      at += 15 * 48_000;
    }
    resident.push(residentOf(bench.transcoder.pid!));
    bench.units.clear();
    bench.frames.length = 0;
    at = Math.ceil(at / 184_320) * 184_320;
  }
  console.log(`child, MB after each minute: ${resident.map((one) => one.toFixed(0)).join(' ')}`);
  expect(bench.transcoder.counters).toMatchObject({ restarts: 0, silentUnits: 0 });
  expect(resident.at(-1)! - resident[1]!).toBeLessThan(8);
});
