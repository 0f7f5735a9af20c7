/** A machine that was switched off may have lost the last writes: numbers are not given out twice. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { epochSource } from '../../server/relay/epochs.ts';
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
const KNOWN = { track: TRACK, next: 8 };
const PASSED = { track: 1600 * SAMPLE_RATE, next: 24 };

/** A life in which a channel got to epoch 7; `orderly` it ends, or it is just gone. */
const live = ({ boot, orderly }: { boot: string | null; orderly: boolean }): void => {
  const store = Store.open(folder, boot);
  store.keepEpoch('live', 7);
  store.keepTrack('live', TRACK, 3);
  if (orderly) store.close();
};

it.each([
  ['the machine was switched off', { orderly: false, last: 'one', boot: 'two' }, PASSED],
  ['the process died', { orderly: false, last: 'one', boot: 'one' }, KNOWN],
  ['it was restarted', { orderly: true, last: 'one', boot: 'two' }, KNOWN],
  ['nobody knows', { orderly: false, last: null, boot: null }, KNOWN],
])('after %s', (_, { orderly, last, boot }, { track, next }) => {
  live({ boot: last, orderly });
  const store = Store.open(folder, boot);
  expect(store.channels()[0]).toMatchObject({ track, epoch: 7, stretches: 3 });
  const epochs = epochSource(store, { keep: (_slug, act) => act(), lacking: () => undefined });
  // Who was on the air goes on in its epoch.
  expect(epochs.resumable('live')).toBe(7);
  expect([epochs.next('live'), epochs.next('live')]).toEqual([next, next + 1]);
  // It is passed over once.
  store.close();
  const again = Store.open(folder, 'three');
  expect(again.channels()[0]).toMatchObject({ track, epoch: next + 1 });
  expect(again.epochsLost).toBe(0);
  again.close();
});

it('a second cut passes over more, before anything was given out', () => {
  live({ boot: 'one', orderly: false });
  Store.open(folder, 'two');
  const store = Store.open(folder, 'three');
  expect(store.channels()[0]).toMatchObject({ track: 2200 * SAMPLE_RATE, epoch: 7 });
  expect(store.epochsLost).toBe(16);
  store.close();
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
