/** The recordings of all channels: what is listed, what is served, and what is deleted when. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import { samples, type Utc, utc } from '../../shared/time.ts';
import type { RecordingRecord } from '../store/recordings.ts';
import type { Store } from '../store/store.ts';
import { type CopyOptions, makeAacCopy } from './aac-copy.ts';
import { Copies, type MakeCopy } from './copies.ts';
import { DiskRoom, freeBytes, LOOK_EVERY } from './disk-room.ts';
import type { Journal } from './journal.ts';
import { Journals } from './journals.ts';
import { etagOf, type Recording, type RecordingNotes, recordingOf } from './recording.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How often broadcasts that a restart cut are looked after, ms. */
const SETTLE_EVERY = 5000;

/** How often it may be tried to read what could not be read, ms. */
const MEND_EVERY = 60_000;
/** Later on only one round in so many tries. */
const MEND_SELDOM = 64;

/** Whether a round, counted from 1, tries to mend: ever more seldom, for a disk does not heal in a day. */
export const mendsIn = (round: number): boolean =>
  round % MEND_SELDOM === 0 || (round & (round - 1)) === 0;

const UNREADABLE =
  'The file of a recording cannot be read or written: it is kept aside, and another takes what comes.';

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
  /**
   * Told when recording stops for want of room, in a sentence, and with null when it goes on; with a
   * channel, when a file of its recordings cannot be read.
   */
  readonly alarm?: (channel: string | null, detail: string | null) => void;
  readonly free?: () => Promise<number>;
  /** Makes the transcoder of one copy. */
  readonly createTranscoder: CopyOptions['createTranscoder'];
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
  readonly #alarm: NonNullable<LibraryOptions['alarm']>;
  /** Channels that were told of an unreadable file. */
  #alarmed: ReadonlySet<string> = new Set();
  /** Rounds of mending since the start. */
  #rounds = 0;
  readonly #views = new Map<string, Recording>();
  readonly #settling = new Map<string, Promise<void>>();
  readonly #timers: NodeJS.Timeout[] = [];

  private constructor(options: LibraryOptions, journals: Journals) {
    const { store, log, now, enabled, minFree, folder, alarm = () => {} } = options;
    this.enabled = enabled;
    this.journals = journals;
    this.#createTranscoder = options.createTranscoder;
    this.copies = new Copies((id, making) => this.#copy(id, making), { log });
    this.#store = store;
    this.#log = log;
    this.#now = now;
    this.#alarm = alarm;
    this.room = new DiskRoom({
      minFree,
      free: options.free ?? (() => freeBytes(folder)),
      odd: (detail) => log.error(detail),
      changed: (hasRoom, says) => {
        if (hasRoom) log.info(`Recording goes on: ${says}`);
        alarm(null, hasRoom ? null : `Recording has stopped, the broadcasts go on: ${says}`);
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
    for (const { id } of options.store.recordings.unfinished())
      await library.#guard(id, journals.resume(id));
    library.#tellUnreadable();
    library.#every(LOOK_EVERY, () => library.room.look());
    library.#every(SETTLE_EVERY, () => library.#settleCut());
    library.#every(MEND_EVERY, () => library.#mendRound());
    library.#every(HOUR, () => library.expire());
    await library.#guard('', library.expire());
    await library.mend();
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

  /** Start of a recording's broadcast; undefined where the database cannot tell. */
  startedOf(id: string): Utc | undefined {
    try {
      return this.find(id)?.started;
    } catch {
      return undefined;
    }
  }

  /** Titles and clock maps of a recording. */
  notes(id: string): RecordingNotes {
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
    const { id } = record;
    if (journal.durableBytes === 0) return undefined;
    const final = record.ended !== null && !this.isOn(id);
    const state = { record, journal, notes: this.notes(id), final };
    const parted = this.journals.aside.has(id);
    const etag = etagOf({ ...state, parted });
    const known = this.#views.get(id);
    if (known?.etag === etag) return known;
    const recording = recordingOf({ ...state, parted }, etag);
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

  /** Tries again to read what could not be read of broadcasts that are over; never rejects. */
  async mend(): Promise<void> {
    for (const id of this.journals.aside.ids)
      if (this.find(id)?.ended != null)
        await this.#guard(
          id,
          this.journals
            .mend(id, () => this.#store.recordings.reopen(id))
            .then((any) => (any ? this.settle(id) : undefined)),
        );
    this.#tellUnreadable();
  }

  /** Ever more seldom: a try may read a day's file to its end, and what failed often fails again. */
  async #mendRound(): Promise<void> {
    this.#rounds += 1;
    if (mendsIn(this.#rounds)) await this.mend();
  }

  /** Deletes a recording and its file. */
  async remove(id: string): Promise<void> {
    this.#store.recordings.remove(id);
    this.#views.delete(id);
    await this.copies.drop(id);
    await this.journals.remove(id);
    this.#tellUnreadable();
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
      if (ended !== null) await this.#guard(id, this.settle(id));
  }

  #tellUnreadable(): void {
    const channels = this.journals.aside.ids.flatMap((id) => this.find(id)?.channel ?? []);
    const alarmed = new Set(channels);
    for (const channel of this.#alarmed) if (!alarmed.has(channel)) this.#alarm(channel, null);
    for (const channel of alarmed) this.#alarm(channel, UNREADABLE);
    this.#alarmed = alarmed;
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
