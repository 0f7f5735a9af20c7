/** Processes that get no time: a listener, a transcoder, the service itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tellFault } from '../helpers/fault-line.ts';
import { KnownPackets, recordedIn } from '../helpers/known-packets.ts';
import { LoneEar } from '../helpers/lone-ear.ts';
import { alarmBegins, goOnAir, heardBy, type OnAir } from '../helpers/on-air.ts';
import { untilTrue } from '../helpers/patience.ts';
import { descendantsOf, residentOf } from '../helpers/process-memory.ts';

const SEED = 4105;
const known = new KnownPackets({ seed: SEED });
/** What a service may grow by while something stands still, MiB: its heap breathes. */
const BREATH = 64;

let on: OnAir;
let lone: LoneEar;
let atRest: number;

beforeAll(async () => {
  on = await goOnAir(known, {});
  lone = new LoneEar(on.base);
  await untilTrue(() => lone.heard > 50);
  atRest = residentOf(on.pid);
});
afterAll(async () => {
  await lone.close();
  await on.stop();
});

const listen = (): void => {
  for (const ear of on.ears) ear.listen();
};

it('a transcoder that hangs is replaced with an alarm, a listener that hangs comes back', async () => {
  lone.stop();
  listen();
  const since = performance.now();
  for (const child of descendantsOf(on.pid)) process.kill(child, 'SIGSTOP');
  await on.events.until(alarmBegins('transcoder'));
  const alarmed = performance.now() - since;
  await sleep(Math.max(0, 5000 - alarmed));
  const { pause, missed } = heardBy(on.ears);
  tellFault(
    'transcoder stopped for 5 s',
    `alarm after ${(alarmed / 1000).toFixed(1)} s; ${on.ears.length} listeners missed ${missed} ` +
      `frames, longest pause ${Math.round(pause)} ms`,
  );
  expect(missed).toBe(0);

  await sleep(Math.max(0, 7000 - (performance.now() - since)));
  const grown = residentOf(on.pid) - atRest;
  const before = lone.heard;
  lone.goOn();
  const back = await untilTrue(() => lone.heard > before + 50);
  tellFault(
    'listener stopped for 7 s',
    `service grew by ${grown.toFixed(1)} MiB, others missed ${heardBy(on.ears).missed} frames; ` +
      `it hears again ${Math.round(back)} ms after it goes on`,
  );
  expect(grown).toBeLessThan(BREATH);
  expect(heardBy(on.ears).missed).toBe(0);
});

it('a service that stands still for 0.5 s loses nothing', async () => {
  listen();
  on.service.child.kill('SIGSTOP');
  await sleep(500);
  on.service.child.kill('SIGCONT');
  const heard = on.ears.map((ear) => ear.heard);
  await untilTrue(() => on.ears.every((ear, index) => ear.heard > (heard[index] ?? 0) + 50));
  const { pause, missed } = heardBy(on.ears);
  await on.publisher.finish();
  const item = await on.recordings.final();
  const file = recordedIn(await on.recordings.fileOf(item));
  const { captured, epochs } = on.publisher;
  const judged = known.judge(file.packets, captured);
  tellFault(
    'service stopped for 0.5 s',
    `longest pause ${Math.round(pause)} ms, ${missed} frames missed; recording of all three ` +
      `faults ${judged.present} of ${captured} frames, complete: ${item.complete} (seed ${SEED})`,
  );
  expect(missed).toBe(0);
  expect(epochs).toHaveLength(1);
  expect(judged).toEqual({ present: captured, missing: 0, repeated: 0, foreign: 0 });
  expect(item.complete).toBe(true);
});
