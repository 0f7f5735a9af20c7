/** What outlives a restart, in one SQLite file: channels, broadcasts, epochs, track time. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { ClockPoint } from '../../shared/control.ts';
import { SAMPLE_RATE, type Samples, samples, type Utc, utc } from '../../shared/time.ts';
import { type ChannelSettings, DEFAULT_SETTINGS } from './channel-settings.ts';
import { MIGRATIONS } from './migrations.ts';
import { Recordings } from './recordings.ts';

/** A channel as it was stored. */
export type ChannelRecord = {
  readonly slug: string;
  readonly settings: ChannelSettings;
  /** The last epoch given out; -1 before the first. */
  readonly epoch: number;
  /** The last clock map; null before the first. */
  readonly clock: ClockPoint | null;
  /** Track time that was never used: what comes next begins here or later. */
  readonly track: Samples;
  /** Stretches of track time so far: what HLS counts as discontinuities. */
  readonly stretches: number;
  /** Key of the secrets in media addresses; null before there was one. */
  readonly secret: string | null;
};

/** One on-air period. */
export type BroadcastRecord = {
  readonly id: string;
  readonly started: Utc;
  readonly ended: Utc | null;
};

const EPOCHS = 0x1_0000;

/**
 * What a power cut can have taken back with the last half minute of writes, and much more, so that
 * nothing is given out twice: epochs, and track time (ten minutes; no window reaches over that).
 */
const SKIPPED = { epochs: 16, track: 600 * SAMPLE_RATE } as const;

/** Identifies the machine's run since it was switched on; null where that is not told. */
const bootId = (): string | null => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
};

type Row = Record<string, SQLOutputValue>;

const recordOf = (row: Row): ChannelRecord => ({
  slug: String(row.slug),
  settings: {
    ...DEFAULT_SETTINGS,
    ...(JSON.parse(String(row.settings)) as Partial<ChannelSettings>),
    title: String(row.title),
  },
  epoch: Number(row.epoch),
  clock: row.clock === null ? null : (JSON.parse(String(row.clock)) as ClockPoint),
  track: samples(Number(row.track)),
  stretches: Number(row.stretches),
  secret: row.secret === null ? null : String(row.secret),
});

/** The database cannot be used; the message is one sentence for the person who starts the service. */
export class StoreError extends Error {}

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const SQLITE = { busy: 5, locked: 6, readOnly: 8, corrupt: 11, cannotOpen: 14, notADatabase: 26 };

const damaged = (file: string): string =>
  `The database ${file} is damaged and was left as it is; put a copy back, or move it away to begin anew.`;

const errorOf = (error: unknown, file: string): unknown => {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  if (code === SQLITE.corrupt || code === SQLITE.notADatabase) return new StoreError(damaged(file));
  if (code === SQLITE.busy || code === SQLITE.locked)
    return new StoreError(
      `The database ${file} is locked; another program has it open, perhaps another Skywave.`,
    );
  if (code === SQLITE.cannotOpen || code === SQLITE.readOnly)
    return new StoreError(`The database ${file} cannot be opened for writing.`);
  return error;
};

/** The database; every call is synchronous and takes well below a millisecond. */
export class Store {
  readonly recordings: Recordings;
  /** So many epochs after the last of each channel may have been given out and forgotten. */
  epochsLost = 0;
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.recordings = new Recordings(database);
  }

  /**
   * Opens or creates `skywave.db` in a folder, which is made when missing, and migrates it. Writes
   * are not waited for until they are on the disk, which would keep listeners waiting: when the
   * machine was switched off under the last life, what may be lost of it is passed over.
   *
   * @throws {StoreError} when the file is damaged, locked or out of reach; it is left as it is.
   */
  static open(folder: string, boot = bootId()): Store {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'skywave.db');
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(file);
      database.exec('PRAGMA busy_timeout = 1000');
      const sound = database.prepare('PRAGMA quick_check(1)').get()?.quick_check;
      if (sound !== 'ok') throw new StoreError(damaged(file));
      database.exec(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON',
      );
      const store = new Store(database);
      store.#migrate();
      store.#begin(boot);
      database.exec('PRAGMA busy_timeout = 50');
      return store;
    } catch (error) {
      database?.close();
      throw errorOf(error, file);
    }
  }

  channels(): ChannelRecord[] {
    return this.#database.prepare('SELECT * FROM channels ORDER BY rowid').all().map(recordOf);
  }

  /** Adds a channel. Returns undefined when the name is taken. */
  createChannel(slug: string, settings: ChannelSettings): ChannelRecord | undefined {
    const { title, ...others } = settings;
    const row = this.#database
      .prepare(
        `INSERT INTO channels (slug, title, settings) VALUES (?, ?, ?)
         ON CONFLICT DO NOTHING RETURNING *`,
      )
      .get(slug, title, JSON.stringify(others));
    return row && recordOf(row);
  }

  keepSettings(slug: string, { title, ...others }: ChannelSettings): void {
    this.#run('UPDATE channels SET title = ?, settings = ? WHERE slug = ?', [
      title,
      JSON.stringify(others),
      slug,
    ]);
  }

  /** Forgets a channel with its broadcasts. */
  deleteChannel(slug: string): void {
    this.#run('DELETE FROM channels WHERE slug = ?', [slug]);
  }

  /** Remembers that a channel's epoch has been given out, before anyone learns of it. */
  keepEpoch(slug: string, epoch: number): void {
    this.#run('UPDATE channels SET epoch = ? WHERE slug = ?', [epoch, slug]);
  }

  keepClock(slug: string, clock: ClockPoint): void {
    this.#run('UPDATE channels SET clock = ? WHERE slug = ?', [JSON.stringify(clock), slug]);
  }

  /** Remembers track time up to which names may have been used. */
  keepTrack(slug: string, track: Samples, stretches: number): void {
    this.#run('UPDATE channels SET track = ?, stretches = ? WHERE slug = ?', [
      track,
      stretches,
      slug,
    ]);
  }

  keepSecret(slug: string, secret: string): void {
    this.#run('UPDATE channels SET secret = ? WHERE slug = ?', [secret, slug]);
  }

  beginBroadcast(id: string, { slug, now }: { slug: string; now: Utc }): void {
    this.#run('INSERT INTO broadcasts (id, channel, started) VALUES (?, ?, ?)', [
      id,
      slug,
      Math.round(now),
    ]);
  }

  endBroadcast(id: string, now: Utc): void {
    this.#run('UPDATE broadcasts SET ended = ? WHERE id = ?', [Math.round(now), id]);
  }

  /** Says that an epoch belongs to a broadcast. */
  keepBroadcastEpoch(id: string, { slug, epoch }: { slug: string; epoch: number }): void {
    this.#run('INSERT OR REPLACE INTO epochs (channel, epoch, broadcast) VALUES (?, ?, ?)', [
      slug,
      epoch,
      id,
    ]);
  }

  /** Broadcasts of a channel that have no end yet. */
  unended(slug: string): string[] {
    const rows = this.#database
      .prepare('SELECT id FROM broadcasts WHERE channel = ? AND ended IS NULL ORDER BY started')
      .all(slug);
    return rows.map(({ id }) => String(id));
  }

  /** The broadcast that an epoch belonged to. */
  broadcastOf(slug: string, epoch: number): BroadcastRecord | undefined {
    const row = this.#database
      .prepare(
        `SELECT b.id, b.started, b.ended FROM broadcasts b JOIN epochs e ON e.broadcast = b.id
         WHERE e.channel = ? AND e.epoch = ?`,
      )
      .get(slug, epoch);
    if (row === undefined) return undefined;
    const ended = row.ended === null ? null : utc(Number(row.ended));
    return { id: String(row.id), started: utc(Number(row.started)), ended };
  }

  /** Ends an orderly life. */
  close(): void {
    try {
      this.#database.exec('UPDATE life SET orderly = 1');
    } catch {
      // Then it counts as cut off, which costs some numbers.
    }
    this.#database.close();
  }

  /** Notes which run of the machine this is; that alone must be on the disk before anything else. */
  #begin(boot: string | null): void {
    if (boot === null) return;
    const last = this.#database.prepare('SELECT boot, orderly FROM life').get();
    const isCut = last !== undefined && last.boot !== boot && last.orderly === 0;
    if (isCut) this.epochsLost = SKIPPED.epochs;
    this.#database.exec('PRAGMA synchronous = FULL; BEGIN');
    if (isCut) this.#run('UPDATE channels SET track = track + ?', [SKIPPED.track]);
    this.#database.exec('DELETE FROM life');
    this.#run('INSERT INTO life (boot, orderly) VALUES (?, 0)', [boot]);
    this.#database.exec('COMMIT; PRAGMA synchronous = NORMAL');
  }

  #run(sql: string, values: (string | number)[]): void {
    this.#database.prepare(sql).run(...values);
  }

  #migrate(): void {
    const row = this.#database.prepare('PRAGMA user_version').get();
    for (let version = Number(row?.user_version ?? 0); version < MIGRATIONS.length; version += 1)
      this.#database.exec(
        `BEGIN; ${MIGRATIONS[version]} PRAGMA user_version = ${version + 1}; COMMIT`,
      );
  }
}

/** SQLite's codes of what passes: busy, locked, read-only, I/O, full, cannot open. */
const PASSING: ReadonlySet<number> = new Set([5, 6, 8, 10, 13, 14]);

/** Whether a write that failed may work another time; a wrong one never will. */
export const mayPass = (error: unknown): boolean =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  PASSING.has(error.errcode & 0xff);

/** The epoch after another; the field on the wire has 16 bits, and 65,536 broadcasts are a life. */
export const epochAfter = (epoch: number): number => (epoch + 1) % EPOCHS;
