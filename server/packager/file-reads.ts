/** Reads whole files, so many at a time, and one that many ask for only once. */
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

const AT_ONCE = 32;
/** Files that may wait to be read. */
const WAITING_MOST = 2000;
/** Without a free file descriptor: how often it is tried again, and after how long, ms. */
const TRIES = 20;
const TRY_AGAIN = 50;

/** More is asked of the disk than it can give; to be tried again later. */
export class DiskBusy extends Error {}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

const readTrying = async (path: string): Promise<Buffer | undefined> => {
  for (let tries = 1; ; tries += 1)
    try {
      return await readFile(path);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOENT') return undefined;
      if ((code !== 'EMFILE' && code !== 'ENFILE') || tries === TRIES)
        throw new DiskBusy(`A file cannot be read (${code ?? 'unknown'}).`);
      await pause(TRY_AGAIN);
    }
};

/** Reads of all windows of the service. */
export class FileReads {
  readonly #reading = new Map<string, Promise<Buffer | undefined>>();
  readonly #waiting: (() => void)[] = [];
  #active = 0;

  /**
   * Reads a file; undefined when there is none.
   *
   * @throws {DiskBusy} when it cannot be read now.
   */
  read(path: string): Promise<Buffer | undefined> {
    const already = this.#reading.get(path);
    if (already !== undefined) return already;
    if (this.#waiting.length >= WAITING_MOST)
      return Promise.reject(new DiskBusy(`${WAITING_MOST} files wait to be read.`));
    const reading = this.#turn(path).finally(() => this.#reading.delete(path));
    this.#reading.set(path, reading);
    return reading;
  }

  async #turn(path: string): Promise<Buffer | undefined> {
    if (this.#active >= AT_ONCE) await new Promise<void>((go) => this.#waiting.push(go));
    this.#active += 1;
    try {
      return await readTrying(path);
    } finally {
      this.#active -= 1;
      this.#waiting.shift()?.();
    }
  }
}
