import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Store, StoreError } from '../../server/store/store.ts';
import {
  startListener,
  startPublisher,
  startService,
  type TestService,
  testFrame,
} from '../helpers/service.ts';

let folder: string;
const file = (): string => join(folder, 'skywave.db');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skywave-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const refusal = (): string => {
  try {
    Store.open(folder).close();
  } catch (error) {
    if (error instanceof StoreError) return error.message;
    throw error;
  }
  return 'none';
};

/** A database with so many broadcasts that it has pages to spare. */
const fill = (): void => {
  const store = Store.open(folder);
  for (let count = 0; count < 400; count += 1)
    store.beginBroadcast(`broadcast ${count}`.padEnd(200), { slug: 'live', now: 1 as never });
  store.close();
};

describe('a database that cannot be used', () => {
  it('is named in one sentence and left as it is: no database at all', () => {
    const before = Buffer.from('This was a letter to my aunt. '.repeat(200));
    writeFileSync(file(), before);
    expect(refusal()).toContain('skywave.db is damaged and was left as it is');
    expect(readFileSync(file()).equals(before)).toBe(true);
  });

  it('is named in one sentence and left as it is: damaged in the middle', () => {
    fill();
    const bytes = readFileSync(file());
    bytes.fill(0x5a, 12_288, 40_960);
    writeFileSync(file(), bytes);
    expect(refusal()).toContain('is damaged and was left as it is');
    expect(readFileSync(file()).equals(bytes)).toBe(true);
  });

  it('is named in one sentence: locked by somebody else', () => {
    fill();
    const other = new DatabaseSync(file());
    other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    expect(refusal()).toContain('skywave.db is locked');
    other.close();
    expect(refusal()).toBe('none');
  });

  it('ends the start with that sentence and nothing else', () => {
    writeFileSync(file(), 'no database');
    const { status, stderr, stdout } = spawnSync(process.execPath, ['server/main.ts'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, SKYWAVE_DATA: folder, SKYWAVE_PORT: '0' },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain('is damaged');
  });
});

describe('a database that breaks while the service runs', () => {
  let service: TestService;
  afterEach(async () => {
    await service.stop();
  });

  it('does not stop a broadcast, nor another from beginning', async () => {
    service = await startService();
    const first = await startPublisher(service);
    const listener = await startListener(service);
    first.client.send(testFrame(0, { epoch: first.epoch }));
    await listener.until(() => listener.frames.length === 1);

    // Somebody takes the database away from under the service.
    const other = new DatabaseSync(join(service.data, 'skywave.db'));
    other.exec(
      'PRAGMA foreign_keys = OFF; DROP TABLE epochs; DROP TABLE broadcasts; DROP TABLE channels',
    );
    other.close();

    first.client.send(testFrame(1, { epoch: first.epoch }));
    await listener.until(() => listener.frames.length === 2);
    first.client.send({ type: 'bye' });
    await first.client.ended();
    const second = await startPublisher(service);
    expect(second.epoch).toBeGreaterThan(first.epoch);
    second.client.send(testFrame(0, { epoch: second.epoch }));
    await listener.until(() => listener.frames.length === 3);
  });
});
