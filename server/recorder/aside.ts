/**
 * Journals that could not be read when their broadcast went on: each is put aside under a name of its
 * own, untouched, so that a new file takes what comes. Once it can be read, what came meanwhile is
 * written behind it, and it takes its old place: then nothing is lost.
 */
import { type FileHandle, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import { MAX_FRAME_BYTES } from '../../shared/frame.ts';
import { Journal } from './journal.ts';
import { piecesOf, RECORD_HEADER, RecordReader } from './journal-record.ts';

const NAME = /^([0-9a-f-]{36})\.journal\.unreadable-(\d{1,9})$/;

/** Whether an error says that there is no such file. */
export const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

const openIfThere = (path: string): Promise<FileHandle | undefined> =>
  open(path, 'r').catch((error) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });

/** What is aside in one folder. Only one caller at a time does something with a recording's files. */
export class Aside {
  readonly #folder: string;
  readonly #log: FastifyBaseLogger;
  /** Numbers of the files, oldest first. */
  readonly #numbers = new Map<string, number[]>();

  private constructor(folder: string, log: FastifyBaseLogger) {
    this.#folder = folder;
    this.#log = log;
  }

  static async open(folder: string, { log }: { log: FastifyBaseLogger }): Promise<Aside> {
    const aside = new Aside(folder, log);
    for (const name of await readdir(folder)) {
      const [, id, number] = NAME.exec(name) ?? [];
      if (id !== undefined) aside.#add(id, Number(number));
    }
    return aside;
  }

  /** Recordings of which something is aside. */
  get ids(): string[] {
    return [...this.#numbers.keys()];
  }

  has(id: string): boolean {
    return this.#numbers.has(id);
  }

  /** Takes a journal out of the way of the one that begins in its place. */
  async put(id: string, path: string): Promise<void> {
    const number = (this.#numbers.get(id)?.at(-1) ?? 0) + 1;
    await rename(path, this.#pathOf(id, number));
    this.#add(id, number);
  }

  /**
   * Puts back in its place whatever can be read by now; the rest stays. Says whether any could;
   * `before` is called before each file takes its place.
   */
  async putBack(
    id: string,
    path: string,
    { before = () => {} }: { readonly before?: () => void } = {},
  ): Promise<boolean> {
    let any = false;
    for (const number of this.#numbers.get(id) ?? [])
      try {
        await this.#unite(this.#pathOf(id, number), path, before);
        this.#forget(id, number);
        any = true;
        this.#log.info({ recording: id }, 'A journal can be read again and is whole.');
      } catch (error) {
        this.#log.warn({ recording: id, error: String(error) }, 'A journal still cannot be read.');
      }
    return any;
  }

  /** Nothing of a recording is there any more. */
  forget(id: string): void {
    this.#numbers.delete(id);
  }

  /** Appends what is at `path` to what was put aside, which is older, and moves all that there. */
  async #unite(older: string, path: string, before: () => void): Promise<void> {
    const journal = await Journal.read(older, { log: this.#log });
    const newer = await openIfThere(path);
    try {
      if (newer !== undefined) await this.#append(newer, journal);
    } finally {
      await newer?.close();
      await journal.close();
    }
    before();
    await rename(older, path);
  }

  async #append(newer: FileHandle, journal: Journal): Promise<void> {
    const reader = new RecordReader((frame) => {
      const entry = journal.enter(frame);
      if (entry !== 'entered' && entry !== 'repeated') throw new Error(`A frame is a ${entry}.`);
    });
    for await (const piece of piecesOf(newer)) {
      reader.read(piece);
      await journal.flush();
    }
    reader.finish();
    await journal.flush();
    // What no record was found in may be somebody's all the same, but for one that a crash tore.
    const { size } = await newer.stat();
    const tail = size - reader.end;
    const damaged = reader.damaged + (tail > RECORD_HEADER + MAX_FRAME_BYTES ? tail : 0);
    if (damaged > 0) throw new Error(`${damaged} bytes of the newer one are damaged.`);
  }

  #pathOf(id: string, number: number): string {
    return join(this.#folder, `${id}.journal.unreadable-${number}`);
  }

  #add(id: string, number: number): void {
    this.#numbers.set(
      id,
      [...(this.#numbers.get(id) ?? []), number].sort((one, other) => one - other),
    );
  }

  #forget(id: string, number: number): void {
    const left = (this.#numbers.get(id) ?? []).filter((one) => one !== number);
    if (left.length > 0) this.#numbers.set(id, left);
    else this.#numbers.delete(id);
  }
}
