/** Whether there is room to record: the disk is looked at every 5 s, and believed when it is full. */
import { statfs } from 'node:fs/promises';
import type { Millis } from '../../shared/time.ts';

/** How often free space is looked at, ms. */
export const LOOK_EVERY = 5000 as Millis;

/** Bytes free to this process on the disk of a folder. */
export const freeBytes = async (folder: string): Promise<number> => {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
};

/** What says of a write that the disk, and not this one file, cannot take any more. */
const OF_THE_DISK: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'SLOW']);

/** What a disk is judged by. */
export type DiskRoomOptions = {
  /** Recording needs so much to be free, bytes. */
  readonly minFree: number;
  readonly free: () => Promise<number>;
  /** Called once when room ends, and once when there is some again. */
  readonly changed: (hasRoom: boolean, detail: string) => void;
  /** Told of a failure that is one recording's alone. */
  readonly odd: (detail: string) => void;
};

/** The room on the disk of the data folder. */
export class DiskRoom {
  readonly #options: DiskRoomOptions;
  #has = true;

  constructor(options: DiskRoomOptions) {
    this.#options = options;
  }

  get has(): boolean {
    return this.#has;
  }

  /** Looks at the disk; never rejects. */
  async look(): Promise<void> {
    const { minFree, free } = this.#options;
    try {
      const left = await free();
      this.#set(left >= minFree, `${left} bytes are free; recording needs ${minFree}.`);
    } catch (error) {
      this.#set(false, `Free space is unknown (${codeOf(error)}).`);
    }
  }

  /** A write failed: where that is the disk's, there is no room until the next look says otherwise. */
  failed(error: unknown): void {
    const detail = `The recording could not be written (${codeOf(error)}).`;
    if (OF_THE_DISK.has(codeOf(error))) this.#set(false, detail);
    else this.#options.odd(detail);
  }

  #set(has: boolean, detail: string): void {
    if (has === this.#has) return;
    this.#has = has;
    this.#options.changed(has, detail);
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);
