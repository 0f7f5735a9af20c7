/** What outlives a restart, in one SQLite file: channels, broadcasts, epochs, track time. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { ClockPoint } from '../../shared/control.ts';
import { type Samples, samples, type Utc, utc } from '../../shared/time.ts';
import { type ChannelSettings, DEFAULT_SETTINGS } from './channel-settings.ts';
import { MIGRATIONS } from './migrations.ts';

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

/** The database; every call is synchronous and takes well below a millisecond. */
export class Store {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Opens or creates `skywave.db` in a folder, which is made when missing, and migrates it. */
  static open(folder: string): Store {
    mkdirSync(folder, { recursive: true });
    const database = new DatabaseSync(join(folder, 'skywave.db'));
    database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 50;
       PRAGMA foreign_keys = ON`,
    );
    const store = new Store(database);
    store.#migrate();
    return store;
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

  close(): void {
    this.#database.close();
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

/** The epoch after another; the field on the wire has 16 bits, and 65,536 broadcasts are a life. */
export const epochAfter = (epoch: number): number => (epoch + 1) % EPOCHS;
