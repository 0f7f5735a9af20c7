/** What a machine runs out of: room on the disk, and file descriptors. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
/** What a service may grow by while something is scarce, MiB: its heap breathes. */
const BREATH = 64;
/** The channel keeps so much for whoever comes late, the recorder among them, ms. */
const RING = 10_000;
/** An alarm may be heard so late, ms. */
const LATE = 1000;
const FILES = 1024;
/** Descriptors that are all in use from the first second on. */
const NO_FILES = 8;

let on: OnAir;
let folder: string;
let isSmall: boolean;
/** How long nothing was recorded, ms. */
let without = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skywave-small-'));
  isSmall = mountSmallDisk(folder, 'size=24m');
  on = await goOnAir(known, {
    environment: { SKYWAVE_DATA: join(folder, 'data'), SKYWAVE_RECORD_MIN_FREE: '1000000' },
  });
});
afterAll(async () => {
  await on.stop();
  if (isSmall) execFileSync('umount', ['-l', folder]);
  await rm(folder, { recursive: true, force: true });
});

// The channel's is of its live window, the one of no channel of everything that is recorded.
const ofRecordings = ({ data }: ReadEvent): boolean => data.channel === null;
const endsForRecordings = (read: ReadEvent): boolean =>
  ofRecordings(read) && read.data.kind === 'disk' && read.data.until !== null;

it('a disk that is full for seconds gives an alarm, and listeners notice nothing', async (context) => {
  if (!isSmall) {
    tellFault('disk full', 'not measured: only root may mount a small disk');
    return context.skip('only root may mount a small disk');
  }
  const { ears, events, publisher, pid } = on;
  const atRest = residentOf(pid);
  for (const ear of ears) ear.listen();
  expect(events.events.filter(alarmBegins('disk'))).toEqual([]);
  const since = performance.now();
  fillUp(join(folder, 'filler'));
  await events.until((read) => ofRecordings(read) && alarmBegins('disk')(read));
  const alarmed = performance.now() - since;
  await sleep(Math.max(0, 3000 - alarmed));
  await rm(join(folder, 'filler'));
  const roomAt = performance.now();
  await events.until(endsForRecordings);
  const again = performance.now() - roomAt;
  without = performance.now() - since;
  const { acked } = publisher;
  await untilTrue(() => publisher.acked > acked + 50);
  const { pause, missed } = heardBy(ears);
  const grown = residentOf(pid) - atRest;
  tellFault(
    'disk full for 3 s',
    `alarm after ${(alarmed / 1000).toFixed(1)} s; ${ears.length} listeners missed ${missed} ` +
      `frames, longest pause ${Math.round(pause)} ms; service grew by ${grown.toFixed(1)} MiB; ` +
      `recording goes on ${(again / 1000).toFixed(1)} s after there is room`,
  );
  expect(missed).toBe(0);
  expect(grown).toBeLessThan(BREATH);
});

it('without file descriptors those who are there hear on, and new ones come later', async (context) => {
  if (spawnSync('prlimit', ['--version']).error !== undefined) {
    tellFault('no file descriptors', 'not measured: there is no prlimit');
    return context.skip('there is no prlimit');
  }
  const { ears, pid, base, warnings } = on;
  for (const ear of ears) ear.listen();
  const saidBefore = warnings.length;
  limitFiles(pid, NO_FILES);
  const newcomer = new Ear(base);
  // Long enough for a segment to end, whose file cannot be opened.
  await sleep(4000);
  const served = newcomer.heard;
  limitFiles(pid, FILES);
  const back = await untilTrue(() => newcomer.heard > 0);
  newcomer.close();
  const { pause, missed } = heardBy(ears);
  const said = warnings.slice(saidBefore).filter((line) => /EMFILE/.test(line));
  tellFault(
    'no file descriptors for 4 s',
    `${ears.length} listeners missed ${missed} frames, longest pause ${Math.round(pause)} ms; ` +
      `${said.length} lines of EMFILE in the log; a newcomer heard ${served} frames, and sound ` +
      `${Math.round(back)} ms after there were some`,
  );
  expect(missed).toBe(0);
  expect(said.length).toBeGreaterThan(0);
  expect(served).toBe(0);
});

it('the recording of a broadcast that was short of both is whole', async () => {
  const { publisher, recordings } = on;
  await publisher.finish();
  const item = await recordings.final();
  const { packets } = recordedIn(await recordings.fileOf(item));
  const judged = known.judge(packets, publisher.captured);
  tellFault(
    'disk full, no file descriptors: the recording',
    `${judged.present} of ${publisher.captured} frames; nothing could be written for ` +
      `${(without / 1000).toFixed(1)} s; lacks ${judged.missing * FRAME} ms and says ` +
      `${Number(item.gaps) * 1000} ms, complete: ${item.complete} (seed ${SEED})`,
  );
  // What the ring reaches over is recorded when there is room again; the rest is counted.
  if (without < RING - LATE) expect(judged.missing).toBe(0);
  else expect(judged.missing * FRAME).toBeLessThanOrEqual(without - RING + 2 * LATE);
  expect(judged.repeated).toBe(0);
  expect(item).toMatchObject({ complete: judged.missing === 0, final: true });
  expect(Math.round(Number(item.gaps) * 1000)).toBe(judged.missing * FRAME);
  expect(publisher.epochs).toHaveLength(1);
});
