/** What outlives a restart, in one SQLite file: channels, their epochs and their clock maps. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ClockPoint } from '../../shared/control.ts';
import { MIGRATIONS } from './migrations.ts';

/** A channel as it was stored. */
export type ChannelRecord = {
  readonly slug: string;
  readonly title: string;
  /** The last epoch given out; -1 before the first. */
  readonly epoch: number;
  /** The last clock map; null before the first. */
  readonly clock: ClockPoint | null;
};

const EPOCHS = 0x1_0000;

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
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000',
    );
    const store = new Store(database);
    store.#migrate();
    return store;
  }

  channels(): ChannelRecord[] {
    const rows = this.#database.prepare('SELECT slug, title, epoch, clock FROM channels').all();
    return rows.map((row) => ({
      slug: String(row.slug),
      title: String(row.title),
      epoch: Number(row.epoch),
      clock: row.clock === null ? null : (JSON.parse(String(row.clock)) as ClockPoint),
    }));
  }

  /** Remembers that a channel's epoch has been given out, before anyone learns of it. */
  keepEpoch(slug: string, epoch: number): void {
    this.#database.prepare('UPDATE channels SET epoch = ? WHERE slug = ?').run(epoch, slug);
  }

  keepClock(slug: string, clock: ClockPoint): void {
    const text = JSON.stringify(clock);
    this.#database.prepare('UPDATE channels SET clock = ? WHERE slug = ?').run(text, slug);
  }

  close(): void {
    this.#database.close();
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
