/** A machine that was switched off may have lost the last writes: numbers are not given out twice. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Store } from '../../server/store/store.ts';
import { SAMPLE_RATE, samples } from '../../shared/time.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skywave-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const TRACK = samples(1000 * SAMPLE_RATE);
const NEXT = { track: 1600 * SAMPLE_RATE, epoch: 23 };

/** A life in which a channel got to epoch 7; `orderly` it ends, or it is just gone. */
const live = ({ boot, orderly }: { boot: string | null; orderly: boolean }): void => {
  const store = Store.open(folder, boot);
  store.keepEpoch('live', 7);
  store.keepTrack('live', TRACK, 3);
  if (orderly) store.close();
};

it.each([
  ['the machine was switched off', { orderly: false, last: 'one', boot: 'two' }, NEXT],
  ['the process died', { orderly: false, last: 'one', boot: 'one' }, { track: TRACK, epoch: 7 }],
  ['it was restarted', { orderly: true, last: 'one', boot: 'two' }, { track: TRACK, epoch: 7 }],
  ['nobody knows', { orderly: false, last: null, boot: null }, { track: TRACK, epoch: 7 }],
])('after %s', (_, { orderly, last, boot }, expected) => {
  live({ boot: last, orderly });
  const store = Store.open(folder, boot);
  expect(store.channels()[0]).toMatchObject({ ...expected, stretches: 3 });
  // It is passed over once.
  store.close();
  const again = Store.open(folder, 'three');
  expect(again.channels()[0]).toMatchObject(expected);
  again.close();
});

it('a database from before learns of it, and a channel without a broadcast stays at its beginning', () => {
  live({ boot: 'one', orderly: false });
  const before = new DatabaseSync(join(folder, 'skywave.db'));
  before.exec(
    'DROP TABLE life; PRAGMA user_version = 3; UPDATE channels SET epoch = -1, track = 0',
  );
  before.close();
  Store.open(folder, 'two');
  const store = Store.open(folder, 'three');
  expect(store.channels()[0]).toMatchObject({ epoch: -1, track: 600 * SAMPLE_RATE });
  store.close();
});
