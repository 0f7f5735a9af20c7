/** The recordings of all channels: what is listed, what is served, and what is deleted when. */
import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import { samples, type Utc, utc } from '../../shared/time.ts';
import type {
  RecordingEpoch,
  RecordingFigures,
  RecordingRecord,
  TitleRecord,
} from '../store/recordings.ts';
import type { Store } from '../store/store.ts';
import { type CopyOptions, makeAacCopy } from './aac-copy.ts';
import { Copies, type MakeCopy } from './copies.ts';
import { DiskRoom, freeBytes, LOOK_EVERY } from './disk-room.ts';
import type { Journal } from './journal.ts';
import { Journals } from './journals.ts';
import { OggView } from './ogg.ts';
import type { Chapter } from './opus-headers.ts';
import {
  type EpochNotes,
  type Missing,
  positionOf,
  type Timeline,
  timelineOf,
} from './timeline.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How often broadcasts that a restart cut are looked after, ms. */
const SETTLE_EVERY = 1000;

/** What a library is made of. */
export type LibraryOptions = {
  readonly store: Store;
  /** The data folder. */
  readonly folder: string;
  /** Whether anything is recorded; what there is can be played all the same. */
  readonly enabled: boolean;
  readonly minFree: number;
  readonly log: FastifyBaseLogger;
  readonly now: () => Utc;
  /** Told when recording stops for want of room, in a sentence, and with null when it goes on. */
  readonly alarm?: (kind: 'disk', detail: string | null) => void;
  readonly free?: () => Promise<number>;
  /** Makes the transcoder of one copy. */
  readonly createTranscoder: CopyOptions['createTranscoder'];
};

/** A recording as it is now. */
export type Recording = {
  readonly view: OggView;
  readonly etag: string;
  readonly path: string;
  readonly figures: RecordingFigures;
  readonly missing: readonly Missing[];
  readonly timeline: Timeline;
  readonly chapters: readonly Chapter[];
  /** Bytes of the journal that it was made of. */
  readonly durableBytes: number;
};

/** All recordings of this node. */
export class Library {
  readonly enabled: boolean;
  readonly room: DiskRoom;
  readonly journals: Journals;
  readonly copies: Copies;
  readonly #createTranscoder: CopyOptions['createTranscoder'];
  readonly #store: Store;
  readonly #log: FastifyBaseLogger;
  readonly #now: () => Utc;
  readonly #views = new Map<string, Recording>();
  readonly #settling = new Map<string, Promise<void>>();
  readonly #timers: NodeJS.Timeout[] = [];

  private constructor(options: LibraryOptions, journals: Journals) {
    const { store, log, now, enabled, minFree, folder, alarm } = options;
    this.enabled = enabled;
    this.journals = journals;
    this.#createTranscoder = options.createTranscoder;
    this.copies = new Copies((id, making) => this.#copy(id, making), { log });
    this.#store = store;
    this.#log = log;
    this.#now = now;
    this.room = new DiskRoom({
      minFree,
      free: options.free ?? (() => freeBytes(folder)),
      odd: (detail) => log.error(detail),
      changed: (hasRoom, says) => {
        if (hasRoom) log.info(`Recording goes on: ${says}`);
        alarm?.('disk', hasRoom ? null : `Recording has stopped, the broadcasts go on: ${says}`);
      },
    });
  }

  /** Opens the library of a data folder; broadcasts that a restart cut can go on in it. */
  static async open(options: LibraryOptions): Promise<Library> {
    const { folder, log } = options;
    const journals = await Journals.open(join(folder, 'recordings'), { log });
    const library = new Library(options, journals);
    await library.#guard(
      '',
      journals.sweepCopies((id) => library.find(id) !== undefined),
    );
    await library.room.look();
    for (const { id, ended } of options.store.recordings.unfinished())
      if (ended === null) await library.#guard(id, journals.resume(id));
    library.#every(LOOK_EVERY, () => library.room.look());
    library.#every(SETTLE_EVERY, () => library.#settleCut());
    library.#every(HOUR, () => library.expire());
    await library.#guard('', library.expire());
    for (const id of options.store.recordings.uncopied()) library.copies.later(id);
    return library;
  }

  /** First sequence that the journal of an epoch's broadcast lacks, when that is still on. */
  next(slug: string, epoch: number): number | undefined {
    const broadcast = this.#store.broadcastOf(slug, epoch);
    return broadcast && this.journals.held(broadcast.id)?.next(epoch);
  }

  find(id: string): RecordingRecord | undefined {
    return this.#store.recordings.find(id);
  }

  /** Titles and clock maps of a recording. */
  notes(id: string): {
    readonly titles: readonly TitleRecord[];
    readonly epochs: readonly RecordingEpoch[];
  } {
    const { recordings } = this.#store;
    return { titles: recordings.titles(id), epochs: recordings.epochs(id) };
  }

  /** Whether the broadcast is still being recorded, or may be once its publisher is back. */
  isOn(id: string): boolean {
    return this.journals.held(id) !== undefined;
  }

  /** Whether the journal of a recording is where it should be. */
  async isThere(id: string): Promise<boolean> {
    return access(this.journals.pathOf(id)).then(
      () => true,
      () => false,
    );
  }

  /** A recording as it is now; undefined when nothing of it is on disk. Rejects when unreadable. */
  async open(record: RecordingRecord): Promise<Recording | undefined> {
    if (!(await this.isThere(record.id))) return undefined;
    return this.journals.use(record.id, (journal) => journal && this.look(record, journal));
  }

  /** What the durable part of a journal makes; undefined while there is none. */
  look(record: RecordingRecord, journal: Journal): Recording | undefined {
    const { id, title, started } = record;
    if (journal.durableBytes === 0) return undefined;
    const { titles, epochs } = this.notes(id);
    const final = record.ended !== null && !this.isOn(id);
    const key = createHash('sha256')
      .update(JSON.stringify([id, journal.durableBytes, final, titles, epochs]))
      .digest('base64url');
    const etag = `"${key.slice(0, 27)}"`;
    const known = this.#views.get(id);
    if (known?.etag === etag) return known;
    const timeline = timelineOf(
      journal.blocks(),
      new Map(epochs.map(({ epoch, ...notes }): [number, EpochNotes] => [epoch, notes])),
    );
    const chapters = titles
      .map((entry) => ({ name: entry.name, at: positionOf(timeline, entry) ?? samples(0) }))
      .sort((a, b) => a.at - b.at);
    const view = new OggView(timeline, {
      serial: createHash('sha256').update(id).digest().readUInt32BE(),
      comments: { title, date: new Date(started).toISOString(), chapters },
      lacing: journal.lacing,
      final,
    });
    const { duration, gaps, missing } = timeline;
    const { path, durableBytes } = journal;
    const complete = final && missing.length === 0;
    const figures = { duration, gaps, bytes: view.bytes, complete, final };
    const recording = { view, etag, path, figures, missing, timeline, chapters, durableBytes };
    // Only what is asked for again and again, above all ranges of one file.
    this.#views.delete(id);
    this.#views.set(id, recording);
    if (this.#views.size > 4) this.#views.delete(this.#views.keys().next().value ?? '');
    return recording;
  }

  /** Writes down what a broadcast's recording has become, after its end or a late piece. */
  async settle(id: string): Promise<void> {
    const before = this.#settling.get(id) ?? Promise.resolve();
    const settling = before.catch(() => {}).then(() => this.#settle(id));
    this.#settling.set(id, settling);
    await settling.finally(() => {
      if (this.#settling.get(id) === settling) this.#settling.delete(id);
    });
  }

  /** Deletes a recording and its file. */
  async remove(id: string): Promise<void> {
    this.#store.recordings.remove(id);
    this.#views.delete(id);
    await this.copies.drop(id);
    await this.journals.remove(id);
  }

  /** Deletes recordings; what fails is said. */
  async discard(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.#guard(id, this.remove(id));
  }

  /** Deletes what is older than its channel keeps recordings. */
  async expire(): Promise<void> {
    for (const { slug, settings } of this.#store.channels()) {
      if (settings.retention === null) continue;
      const oldest = utc(this.#now() - settings.retention * DAY);
      for (const { id } of this.#store.recordings.endedBefore(slug, oldest)) {
        await this.remove(id);
        this.#log.info({ recording: id }, 'A recording was deleted: its time is over.');
      }
    }
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.copies.close();
    await this.journals.close();
  }

  async #settle(id: string): Promise<void> {
    await this.journals
      .held(id)
      ?.flush()
      .catch((error) => this.room.failed(error));
    await this.journals.release(id);
    const record = this.find(id);
    if (record === undefined) return;
    const recording = await this.open(record);
    const nothing = { duration: samples(0), gaps: samples(0), bytes: 0, complete: false };
    this.#store.recordings.keepFigures(id, recording?.figures ?? { ...nothing, final: true });
    if (recording !== undefined && recording.durableBytes !== record.copied) this.copies.later(id);
  }

  /** Copies a recording, unless it has gone, has been copied as it is, or goes on. */
  async #copy(id: string, making: Parameters<MakeCopy>[1]): Promise<boolean> {
    const record = this.find(id);
    if (!record?.final) return true;
    const recording = await this.open(record);
    if (recording === undefined || recording.durableBytes === record.copied) return true;
    const { timeline, chapters, path: source, durableBytes } = recording;
    const { title, started: created } = record;
    const sound = { timeline, chapters, source, title, created };
    const target = this.journals.copyOf(id);
    const createTranscoder = this.#createTranscoder;
    const made = await makeAacCopy({ ...sound, target, createTranscoder, ...making });
    if (made) this.#store.recordings.keepCopied(id, durableBytes);
    return made;
  }

  async #settleCut(): Promise<void> {
    for (const { id, ended } of this.#store.recordings.unfinished())
      if (ended !== null) await this.settle(id);
  }

  /** What fails here is said and tried again; it must not end the service. */
  #every(span: number, act: () => Promise<void>): void {
    this.#timers.push(setInterval(() => void this.#guard('', act()), span));
  }

  async #guard(recording: string, act: Promise<void>): Promise<void> {
    await act.catch((error) =>
      this.#log.error(
        { recording, error: String(error) },
        'A recording could not be looked after.',
      ),
    );
  }
}
