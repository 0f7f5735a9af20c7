/** Reads whole files, so many at a time, and one that many ask for only once. */
import { readFile } from 'node:fs/promises';
import { codeOf, DiskBusy, FileTurns } from './file-turns.ts';

/** Files that may wait to be read. */
const WAITING_MOST = 2000;

const readIn = async (turns: FileTurns, path: string): Promise<Buffer | undefined> => {
  try {
    return await turns.take(() => readFile(path));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (error instanceof DiskBusy) throw error;
    throw new DiskBusy(`A file cannot be read (${codeOf(error) ?? 'unknown'}).`);
  }
};

/** Reads of all windows of the service. */
export class FileReads {
  readonly #reading = new Map<string, Promise<Buffer | undefined>>();
  readonly #turns = new FileTurns();

  /**
   * Reads a file; undefined when there is none.
   *
   * @throws {DiskBusy} when it cannot be read now.
   */
  read(path: string): Promise<Buffer | undefined> {
    const already = this.#reading.get(path);
    if (already !== undefined) return already;
    if (this.#turns.waiting >= WAITING_MOST)
      return Promise.reject(new DiskBusy(`${WAITING_MOST} files wait to be read.`));
    const reading = readIn(this.#turns, path).finally(() => this.#reading.delete(path));
    this.#reading.set(path, reading);
    return reading;
  }
}
