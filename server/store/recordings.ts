/** The library of recordings as it is stored: what the list shows, clock maps and titles. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { ClockPoint } from '../../shared/control.ts';
import { type Samples, samples, type Utc, utc } from '../../shared/time.ts';

/** Titles kept of one broadcast; as many chapters as a recording can name. */
const MOST_TITLES = 1000;

/** What is known of a recording without looking at its journal. */
export type RecordingRecord = {
  /** The broadcast's id. */
  readonly id: string;
  readonly channel: string;
  /** The channel's when the recording began. */
  readonly title: string;
  readonly started: Utc;
  /** End of the broadcast; null while it is on. */
  readonly ended: Utc | null;
  readonly duration: Samples;
  /** Length of the Ogg file. */
  readonly bytes: number;
  readonly gaps: Samples;
  readonly complete: boolean;
  /** Whether the figures are those after the end. */
  readonly final: boolean;
  /** Integrated, LUFS. */
  readonly loudness: number | null;
  /** Bytes of the journal that the AAC copy was made of; null without one. */
  readonly copied: number | null;
};

/** Figures of a recording that its journal gives. */
export type RecordingFigures = Pick<
  RecordingRecord,
  'duration' | 'bytes' | 'gaps' | 'complete' | 'final'
>;

/** A title and the sample from which on it holds. */
export type TitleRecord = {
  readonly epoch: number;
  readonly timestamp: Samples;
  readonly name: string;
};

/** What is stored of an epoch of a recording. */
export type RecordingEpoch = {
  readonly epoch: number;
  readonly first: ClockPoint | null;
  readonly last: ClockPoint | null;
  readonly until: number | null;
};

type Row = Record<string, SQLOutputValue>;

const SELECT = `SELECT r.*, b.ended FROM recordings r JOIN broadcasts b ON b.id = r.id`;

const recordOf = (row: Row): RecordingRecord => ({
  id: String(row.id),
  channel: String(row.channel),
  title: String(row.title),
  started: utc(Number(row.started)),
  ended: row.ended === null ? null : utc(Number(row.ended)),
  duration: samples(Number(row.duration)),
  bytes: Number(row.bytes),
  gaps: samples(Number(row.gaps)),
  complete: row.complete === 1,
  final: row.final === 1,
  loudness: row.loudness === null ? null : Number(row.loudness),
  copied: row.copied === null ? null : Number(row.copied),
});

const pointOf = (text: SQLOutputValue | undefined): ClockPoint | null =>
  typeof text === 'string' ? (JSON.parse(text) as ClockPoint) : null;

/** Recordings in the database. */
export class Recordings {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  find(id: string): RecordingRecord | undefined {
    const row = this.#database.prepare(`${SELECT} WHERE r.id = ?`).get(id);
    return row && recordOf(row);
  }

  /** A page of a channel's recordings, newest first, after a given one. */
  of(channel: string, { after, limit }: { after?: string; limit: number }): RecordingRecord[] {
    const order = 'ORDER BY r.started DESC, r.id DESC LIMIT ?';
    const rows =
      after === undefined
        ? this.#database.prepare(`${SELECT} WHERE r.channel = ? ${order}`).all(channel, limit)
        : this.#database
            .prepare(
              `${SELECT} WHERE r.channel = ? AND (r.started, r.id) <
               (SELECT started, id FROM recordings WHERE id = ?) ${order}`,
            )
            .all(channel, after, limit);
    return rows.map(recordOf);
  }

  /** Ids of all recordings of a channel. */
  all(channel: string): string[] {
    return this.#database
      .prepare('SELECT id FROM recordings WHERE channel = ?')
      .all(channel)
      .map(({ id }) => String(id));
  }

  /** Recordings whose figures are not those after the end. */
  unfinished(): RecordingRecord[] {
    return this.#database.prepare(`${SELECT} WHERE r.final = 0`).all().map(recordOf);
  }

  /** Recordings of broadcasts of a channel that ended before a moment. */
  endedBefore(channel: string, moment: Utc): RecordingRecord[] {
    return this.#database
      .prepare(`${SELECT} WHERE r.channel = ? AND b.ended < ?`)
      .all(channel, Math.round(moment))
      .map(recordOf);
  }

  /** Enters the recording of a broadcast, which has the same id; nothing happens when it is there. */
  begin(id: string): void {
    this.#database
      .prepare(
        `INSERT INTO recordings (id, channel, started, title)
         SELECT b.id, b.channel, b.started, c.title
         FROM broadcasts b JOIN channels c ON c.slug = b.channel WHERE b.id = ?
         ON CONFLICT DO NOTHING`,
      )
      .run(id);
  }

  keepFigures(id: string, { duration, bytes, gaps, complete, final }: RecordingFigures): void {
    this.#database
      .prepare(
        `UPDATE recordings SET duration = ?, bytes = ?, gaps = ?, complete = ?, final = ?
         WHERE id = ?`,
      )
      .run(duration, bytes, gaps, Number(complete), Number(final), id);
  }

  /** Its figures are not final any more: they are made anew, after a restart if need be. */
  reopen(id: string): void {
    this.#database.prepare('UPDATE recordings SET final = 0 WHERE id = ?').run(id);
  }

  keepLoudness(id: string, loudness: number): void {
    this.#database.prepare('UPDATE recordings SET loudness = ? WHERE id = ?').run(loudness, id);
  }

  keepCopied(id: string, bytes: number): void {
    this.#database.prepare('UPDATE recordings SET copied = ? WHERE id = ?').run(bytes, id);
  }

  /** Finished recordings that have no AAC copy. */
  uncopied(): string[] {
    return this.#database
      .prepare('SELECT id FROM recordings WHERE final = 1 AND bytes > 0 AND copied IS NULL')
      .all()
      .map(({ id }) => String(id));
  }

  /** Keeps the first and the newest clock map of an epoch. */
  keepClock(id: string, point: ClockPoint): void {
    const text = JSON.stringify(point);
    this.#database
      .prepare(
        `INSERT INTO recording_epochs (recording, epoch, first, last) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET first = coalesce(first, excluded.first), last = excluded.last`,
      )
      .run(id, point.epoch, text, text);
  }

  /** Keeps what the publisher says to be the last sequence of an epoch. */
  keepUntil(id: string, epoch: number, until: number): void {
    this.#database
      .prepare(
        `INSERT INTO recording_epochs (recording, epoch, until) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET until = max(coalesce(until, 0), excluded.until)`,
      )
      .run(id, epoch, until);
  }

  /** What is known of a recording's epochs. */
  epochs(id: string): RecordingEpoch[] {
    return this.#database
      .prepare('SELECT * FROM recording_epochs WHERE recording = ?')
      .all(id)
      .map((row) => ({
        epoch: Number(row.epoch),
        first: pointOf(row.first),
        last: pointOf(row.last),
        until: row.until === null ? null : Number(row.until),
      }));
  }

  /** Whether an epoch belongs to the broadcast that is recorded. */
  hasEpoch(id: string, epoch: number): boolean {
    const row = this.#database
      .prepare('SELECT 1 FROM epochs WHERE broadcast = ? AND epoch = ?')
      .get(id, epoch);
    return row !== undefined;
  }

  /** Keeps a title; those after the thousandth are not kept. */
  keepTitle(id: string, { epoch, timestamp, name }: TitleRecord): void {
    this.#database
      .prepare(
        `INSERT INTO titles (recording, epoch, timestamp, name) SELECT ?, ?, ?, ?
         WHERE (SELECT count(*) FROM titles WHERE recording = ?) < ?`,
      )
      .run(id, epoch, timestamp, name, id, MOST_TITLES);
  }

  titles(id: string): TitleRecord[] {
    return this.#database
      .prepare('SELECT * FROM titles WHERE recording = ? ORDER BY rowid')
      .all(id)
      .map((row) => ({
        epoch: Number(row.epoch),
        timestamp: samples(Number(row.timestamp)),
        name: String(row.name),
      }));
  }

  remove(id: string): void {
    this.#database.prepare('DELETE FROM recordings WHERE id = ?').run(id);
  }
}
