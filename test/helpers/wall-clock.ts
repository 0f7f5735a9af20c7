/** A wall clock of its own for a process, which can be stepped while the process runs. */
import { globSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Debian's package `faketime` has it in a folder named after the machine. */
const libraryPath = (): string | undefined => globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0];

/** What processes started with `environment` take for the time of day; the monotonic clock is real. */
export class WallClock {
  readonly environment: Record<string, string>;
  readonly #folder: string;

  private constructor(folder: string, library: string) {
    this.#folder = folder;
    this.environment = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
    this.step(0);
  }

  /** A clock that is right; undefined where there is no libfaketime. */
  static async make(): Promise<WallClock | undefined> {
    const library = libraryPath();
    if (library === undefined) return undefined;
    return new WallClock(await mkdtemp(join(tmpdir(), 'skywave-clock-')), library);
  }

  /** From now on it is wrong by so many seconds. */
  step(off: number): void {
    writeFileSync(this.#file, `${off < 0 ? '' : '+'}${off}\n`);
  }

  dispose(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#folder, 'offset');
  }
}
