/** What a machine runs out of: room on the disk, and file descriptors. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { fillUp, limitFiles, mountSmallDisk } from '../helpers/abuse.ts';
import { Ear } from '../helpers/ear.ts';
import type { ReadEvent } from '../helpers/event-reader.ts';
import { tellFault } from '../helpers/fault-line.ts';
import { KnownPackets, recordedIn } from '../helpers/known-packets.ts';
import { alarmBegins, goOnAir, heardBy, type OnAir } from '../helpers/on-air.ts';
import { untilTrue } from '../helpers/patience.ts';
import { residentOf } from '../helpers/process-memory.ts';

const SEED = 4107;
const known = new KnownPackets({ seed: SEED });
const FRAME = 20;
/** The channel keeps so much for whoever comes late, the recorder among them. */
const RING = 10_000;
/** What is said of an alarm may be heard so late. */
const LATE = 1000;
/** What a service may grow by while something is scarce, MiB: its heap breathes. */
const BREATH = 64;

let on: OnAir | undefined;
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  await on?.stop();
  on = undefined;
  for (const act of cleanUp.splice(0).reverse()) await act();
});

/** A disk of 24 MiB; null where nobody may mount one. */
const smallDisk = async (): Promise<string | null> => {
  const folder = await mkdtemp(join(tmpdir(), 'skywave-small-'));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  if (!mountSmallDisk(folder, 'size=24m')) return null;
  cleanUp.push(() => execFileSync('umount', ['-l', folder]));
  return folder;
};

it('a disk that is full for seconds gives an alarm and leaves no hole; listeners notice nothing', async (context) => {
  const folder = await smallDisk();
  if (folder === null) {
    tellFault('disk full', 'not measured: only root may mount a small disk');
    return context.skip();
  }
  on = await goOnAir(known, {
    environment: { SKYWAVE_DATA: join(folder, 'data'), SKYWAVE_RECORD_MIN_FREE: '1000000' },
  });
  const { ears, events, publisher, recordings, pid } = on;
  const atRest = residentOf(pid);
  for (const ear of ears) ear.listen();
  expect(events.events.filter(alarmBegins('disk'))).toEqual([]);
  const since = performance.now();
  fillUp(join(folder, 'filler'));
  // The channel's is of its live window, the one of no channel of everything that is recorded.
  const ofRecordings = (read: ReadEvent): boolean =>
    read.data.channel === null && alarmBegins('disk')(read);
  await events.until(ofRecordings);
  const alarmed = performance.now() - since;
  await sleep(Math.max(0, 3000 - alarmed));
  await rm(join(folder, 'filler'));
  const roomAt = performance.now();
  await events.until(
    ({ event, data }) =>
      event === 'alarm' && data.kind === 'disk' && data.channel === null && data.until !== null,
  );
  const again = performance.now() - roomAt;
  const without = performance.now() - since;
  const { acked } = publisher;
  await untilTrue(() => publisher.acked > acked + 50);
  const { pause, missed } = heardBy(ears);
  const grown = residentOf(pid) - atRest;
  await publisher.finish();
  const item = await recordings.final();
  const { packets } = recordedIn(await recordings.fileOf(item));
  const judged = known.judge(packets, publisher.captured);
  tellFault(
    'disk full for 3 s',
    `alarm after ${(alarmed / 1000).toFixed(1)} s; ${ears.length} listeners missed ${missed} ` +
      `frames, longest pause ${Math.round(pause)} ms; service grew by ${grown.toFixed(1)} MiB; ` +
      `recording goes on ${(again / 1000).toFixed(1)} s after there is room, lacks ` +
      `${judged.missing * FRAME} ms, says ${Number(item.gaps) * 1000} ms, ` +
      `complete: ${item.complete} (seed ${SEED})`,
  );
  expect(missed).toBe(0);
  expect(grown).toBeLessThan(BREATH);
  expect(publisher.epochs).toHaveLength(1);
  // What the ring reaches over is recorded when there is room again; the rest is counted.
  if (without < RING - LATE) expect(judged.missing).toBe(0);
  else expect(judged.missing * FRAME).toBeLessThanOrEqual(without - RING + 2 * LATE);
  expect(judged.repeated).toBe(0);
  expect(item).toMatchObject({ complete: judged.missing === 0, final: true });
  expect(Math.round(Number(item.gaps) * 1000)).toBe(judged.missing * FRAME);
});

it('without file descriptors those who are there hear on, and new ones come later', async (context) => {
  if (spawnSync('prlimit', ['--version']).error !== undefined) {
    tellFault('no file descriptors', 'not measured: there is no prlimit');
    return context.skip();
  }
  on = await goOnAir(known, {});
  const { ears, publisher, recordings, pid, base, warnings } = on;
  for (const ear of ears) ear.listen();
  const saidBefore = warnings.length;
  limitFiles(pid, 8);
  const newcomer = new Ear(base);
  cleanUp.push(() => newcomer.close());
  // Long enough for a segment to end, whose file cannot be opened.
  await sleep(4500);
  const served = newcomer.heard;
  limitFiles(pid, 1024);
  const back = await untilTrue(() => newcomer.heard > 0);
  const { pause, missed } = heardBy(ears);
  const said = warnings.slice(saidBefore).filter((line) => /EMFILE/.test(line));
  await publisher.finish();
  const item = await recordings.final();
  const { packets } = recordedIn(await recordings.fileOf(item));
  const { captured } = publisher;
  const judged = known.judge(packets, captured);
  tellFault(
    'no file descriptors for 4.5 s',
    `${ears.length} listeners missed ${missed} frames, longest pause ${Math.round(pause)} ms; ` +
      `${said.length} lines of EMFILE in the log; a newcomer heard ${served} frames, and sound ` +
      `${Math.round(back)} ms after there were some; recording ${judged.present} of ${captured} ` +
      `frames, complete: ${item.complete} (seed ${SEED})`,
  );
  expect(missed).toBe(0);
  expect(said.length).toBeGreaterThan(0);
  expect(served).toBe(0);
  expect(publisher.epochs).toHaveLength(1);
  expect(judged).toEqual({ present: captured, missing: 0, repeated: 0, foreign: 0 });
  expect(item.complete).toBe(true);
});
