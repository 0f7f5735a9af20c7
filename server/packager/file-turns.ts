/** Lets so many do something with a file at a time, and tries again where no descriptor is free. */
import { setTimeout as pause } from 'node:timers/promises';

const AT_ONCE = 32;
/** Without a free file descriptor: how often it is tried again, and after how long, ms. */
const TRIES = 20;
const TRY_AGAIN = 50;

/** More is asked of the disk than it can give; to be tried again later. */
export class DiskBusy extends Error {}

/** The system's code of an error; undefined where there is none. */
export const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

const trying = async <T>(act: () => Promise<T>): Promise<T> => {
  for (let tries = 1; ; tries += 1)
    try {
      return await act();
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'EMFILE' && code !== 'ENFILE') throw error;
      if (tries === TRIES) throw new DiskBusy(`A file cannot be opened (${code}).`);
      await pause(TRY_AGAIN);
    }
};

/** The turns of all who open files of one kind. */
export class FileTurns {
  readonly #waiting: (() => void)[] = [];
  #active = 0;

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Does something, which may be begun again, when it is its turn.
   *
   * @throws {DiskBusy} when no file can be opened for a second; and what `act` throws.
   */
  async take<T>(act: () => Promise<T>): Promise<T> {
    if (this.#active < AT_ONCE) this.#active += 1;
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      return await trying(act);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#active -= 1;
      else next();
    }
  }
}
