/**
 * The journals of the data folder. One file has one writer: a journal that is held or in use is
 * the only object for its file; others are kept for a while, because reading one takes time.
 */
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import type { FrameId } from '../../shared/control.ts';
import type { Frame } from '../../shared/frame.ts';
import type { Samples } from '../../shared/time.ts';
import { FileTurns } from '../packager/file-turns.ts';
import { Aside, isAbsent } from './aside.ts';
import { Journal } from './journal.ts';

/** Journals of finished broadcasts whose index is kept in memory; a day's takes about 2 MB. */
const KEPT = 8;

/** A copy, or what is there of one while it is made. */
const COPY = /^([0-9a-f-]{36})\.m4a(\.units|\.part)?$/;

type Entry = {
  readonly journal: Promise<Journal | undefined>;
  /** Those who do something with it now. */
  users: number;
  /** The journal itself, while its broadcast is on. */
  held: Journal | undefined;
};

/** All journals, by the id of their broadcast, which the caller vouches for. */
export class Journals {
  /** Those that could not be read when their broadcast went on. */
  readonly aside: Aside;
  readonly #folder: string;
  readonly #log: FastifyBaseLogger;
  readonly #entries = new Map<string, Entry>();
  readonly #turns = new FileTurns();
  #last: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, { log, aside }: { log: FastifyBaseLogger; aside: Aside }) {
    this.aside = aside;
    this.#folder = folder;
    this.#log = log;
  }

  /** Opens a folder, which is made when missing. */
  static async open(folder: string, { log }: { log: FastifyBaseLogger }): Promise<Journals> {
    await mkdir(folder, { recursive: true });
    return new Journals(folder, { log, aside: await Aside.open(folder, { log }) });
  }

  pathOf(id: string): string {
    return join(this.#folder, `${id}.journal`);
  }

  /** Where the AAC copy of a recording is. */
  copyOf(id: string): string {
    return join(this.#folder, `${id}.m4a`);
  }

  /** The journal of a broadcast that is on; undefined for others. */
  held(id: string): Journal | undefined {
    return this.#entries.get(id)?.held;
  }

  /** Holds the journal of a broadcast that begins. */
  begin(id: string): Journal {
    const held = this.held(id);
    if (held !== undefined) return held;
    const journal = Journal.begin(this.pathOf(id), { log: this.#log });
    this.#entries.set(id, { journal: Promise.resolve(journal), users: 0, held: journal });
    return journal;
  }

  /**
   * Holds the journal of a broadcast that goes on after a restart; nothing when there is none. One
   * that cannot be read, or not be written, is put aside: the broadcast begins another.
   */
  async resume(id: string): Promise<void> {
    await this.aside.putBack(id, this.pathOf(id));
    try {
      const journal = await this.#readWritable(id);
      if (journal === undefined) return;
      this.#entries.set(id, { journal: Promise.resolve(journal), users: 0, held: journal });
    } catch (error) {
      await this.aside.put(id, this.pathOf(id));
      throw error;
    }
  }

  /**
   * Tries again to read what was put aside of a broadcast that is over, unless it is in use. Says
   * whether any of it came back; `before` is called when it is about to.
   */
  async mend(id: string, before: () => void): Promise<boolean> {
    const known = this.#entries.get(id);
    if (known !== undefined && (known.held !== undefined || known.users > 0)) return false;
    let any = false;
    const journal = this.#queue(async () => {
      any = await this.aside.putBack(id, this.pathOf(id), { before });
      return this.#read(id);
    });
    this.#entries.set(id, { journal, users: 0, held: undefined });
    await this.use(id, () => {});
    return any;
  }

  /** Lets go of the journal of a broadcast that has ended. */
  async release(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry?.held === undefined) return;
    const { held } = entry;
    entry.held = undefined;
    this.#touch(id, entry);
    if (entry.users === 0) await held.close();
  }

  /** Does something with a journal, which is the only one of its file meanwhile. */
  async use<T>(id: string, act: (journal: Journal | undefined) => T | Promise<T>): Promise<T> {
    const entry = this.#entries.get(id) ?? {
      journal: this.#queue(() => this.#read(id)),
      users: 0,
      held: undefined,
    };
    this.#touch(id, entry);
    entry.users += 1;
    try {
      return await act(await entry.journal);
    } finally {
      entry.users -= 1;
      const journal = await entry.journal.catch(() => undefined);
      if (journal === undefined) this.#entries.delete(id);
      else if (entry.users === 0 && entry.held === undefined) await journal.close();
    }
  }

  /**
   * Durable frames of a broadcast from a place on, `most` samples in whole frames; none when there is
   * no journal. However many ask, so many files are open at once.
   *
   * @throws {DiskBusy} when no file can be opened now.
   */
  frames(id: string, from: FrameId, most: Samples): Promise<readonly Frame[]> {
    return this.#turns.take(() =>
      this.use(id, (journal) => journal?.frames(from, most) ?? Promise.resolve([])),
    );
  }

  /** Deletes a journal for good, with its copy and whatever of it was kept aside. */
  async remove(id: string): Promise<void> {
    this.#entries.delete(id);
    // Behind what is being put back just now, which would come to lie here afterwards.
    await this.#queue(async () => {
      this.aside.forget(id);
      for (const name of await readdir(this.#folder))
        if (name.startsWith(`${id}.`))
          await rm(join(this.#folder, name), { force: true, recursive: true });
      return undefined;
    });
  }

  /**
   * At the start: removes copies that were not finished, and those of which there is neither a
   * recording nor a journal any more.
   */
  async sweepCopies(isKnown: (id: string) => boolean): Promise<void> {
    const names = new Set(await readdir(this.#folder));
    for (const name of names) {
      const [, id = '', unfinished] = COPY.exec(name) ?? [];
      if (id === '') continue;
      if (unfinished !== undefined || !(isKnown(id) || names.has(`${id}.journal`)))
        await rm(join(this.#folder, name), { force: true });
    }
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.#entries.values()].map(async ({ journal }) => {
        const known = await journal.catch(() => undefined);
        // What cannot be written now was never acknowledged.
        await known?.flush().catch(() => {});
        await known?.close();
      }),
    );
  }

  /** One after the other: however many are asked for, one file is read at a time. */
  #queue(read: () => Promise<Journal | undefined>): Promise<Journal | undefined> {
    const reading = this.#last.then(read);
    this.#last = reading.catch(() => {});
    return reading;
  }

  async #read(id: string): Promise<Journal | undefined> {
    try {
      return await Journal.read(this.pathOf(id), { log: this.#log.child({ recording: id }) });
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async #readWritable(id: string): Promise<Journal | undefined> {
    const journal = await this.#read(id);
    if (journal !== undefined) await (await open(this.pathOf(id), 'r+')).close();
    return journal;
  }

  /** Insertion order is age of use; the oldest that nobody uses make room. */
  #touch(id: string, entry: Entry): void {
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    let spare = this.#entries.size - KEPT;
    for (const [old, { users, held }] of this.#entries) {
      if (spare <= 0) return;
      if (users > 0 || held !== undefined || old === id) continue;
      this.#entries.delete(old);
      spare -= 1;
    }
  }
}
