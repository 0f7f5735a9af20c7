/**
 * The folder of one programme: a folder for each rendition's window, and what else must outlive a
 * restart for players to go on. Its name begins with the sequence number that the programme began
 * with.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Samples, Utc } from '../../shared/time.ts';
import type { Period } from './dash-periods.ts';
import { DiskStore } from './disk-store.ts';
import type { FileReads } from './file-reads.ts';
import type { DatedTitle } from './hls-titles.ts';
import type { Grid } from './track.ts';
import { type RestoredWindow, restoreWindow } from './window-restore.ts';

/** Where the media clock of an epoch lies in track time. */
export type Placed = {
  readonly epoch: number;
  /** Track time of timestamp 0. */
  readonly offset: number;
  /** First timestamp that players have not got; null when a crash left it to be found out. */
  readonly next: Samples | null;
};

/** What a programme knows beside its windows. */
export type KeptProgramme = {
  /** Whose secret it is: a broadcast, or the channel as long as it is continuous. */
  readonly name: string;
  readonly secret: string;
  readonly grid: Grid;
  readonly ended: boolean;
  readonly titles: readonly DatedTitle[];
  /** Of the newest stretch; null for silence. */
  readonly placed: Placed | null;
  /** Of the DASH manifest: its zero and its Periods; null until one was asked for. */
  readonly manifest: { readonly start: Utc; readonly periods: readonly Period[] } | null;
};

/** Where a channel's windows are, and who hears of a disk that fails: null when it is well again. */
export type WindowsOnDisk = {
  readonly folder: string;
  readonly reads: FileReads;
  readonly alarm: (error: unknown) => void;
};

const PROGRAMME = 'programme.json';
const NAME = /^\d{1,12}-[0-9a-f]{8}$/;

/** One programme's folder; nothing in it throws, and nobody waits for it. */
export class WindowFolder {
  readonly #path: string;
  readonly #disk: WindowsOnDisk;
  readonly #stores = new Map<string, DiskStore>();
  readonly #failing = new Set<string>();
  #kept: KeptProgramme;
  #changed = true;
  #closed = false;
  #writing: Promise<void> | undefined;

  private constructor(disk: WindowsOnDisk, name: string, kept: KeptProgramme) {
    this.#path = join(disk.folder, name);
    this.#disk = disk;
    this.#kept = kept;
  }

  /** A new programme's folder. */
  static create(
    disk: WindowsOnDisk,
    sequence: number,
    begun: Pick<KeptProgramme, 'name' | 'secret' | 'grid'>,
  ): WindowFolder {
    const kept = { ...begun, ended: false, titles: [], placed: null, manifest: null };
    const folder = new WindowFolder(disk, `${sequence}-${randomBytes(4).toString('hex')}`, kept);
    folder.#write();
    return folder;
  }

  /** The folder of a channel's last programme, if `accept` takes it; all others are removed. */
  static newest(
    disk: WindowsOnDisk,
    accept: (kept: KeptProgramme) => boolean,
  ): WindowFolder | undefined {
    const found = foldersIn(disk.folder);
    const newest = found
      .filter((name) => NAME.test(name))
      .sort((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10))
      .at(-1);
    const kept = newest === undefined ? undefined : keptIn(join(disk.folder, newest));
    const accepted = kept !== undefined && accept(kept);
    const rest = found.filter((name) => !accepted || name !== newest);
    removeFolders(rest.map((name) => join(disk.folder, name)));
    return accepted && newest !== undefined ? new WindowFolder(disk, newest, kept) : undefined;
  }

  get kept(): KeptProgramme {
    return this.#kept;
  }

  /** What is left of a rendition's window after a restart. */
  restore(rendition: string): RestoredWindow | undefined {
    return restoreWindow(join(this.#path, rendition), this.#kept.grid);
  }

  /** Where a rendition's segments go. */
  store(rendition: string, restored?: RestoredWindow): DiskStore {
    const store = new DiskStore(join(this.#path, rendition), {
      reads: this.#disk.reads,
      failing: (error) => this.#report(rendition, error),
      // Where sound can be written, what was kept back may be as well.
      written: () => this.#write(),
      ...(restored && { listed: restored.listed, indexed: restored.indexed }),
    });
    this.#stores.set(rendition, store);
    return store;
  }

  /** Remembers what has changed. */
  keep(changes: Partial<KeptProgramme>): void {
    this.#kept = { ...this.#kept, ...changes };
    this.#changed = true;
    this.#write();
  }

  /** Resolves when all is written, as far as the disk takes it. */
  async flush(): Promise<void> {
    await this.#writing;
    this.#write();
    await Promise.all([this.#writing, ...[...this.#stores.values()].map((store) => store.flush())]);
  }

  /** Lets go of the folder; nothing is written from here on. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#writing, ...[...this.#stores.values()].map((store) => store.close())]);
  }

  /** Removes the folder with everything in it. */
  async remove(): Promise<void> {
    await this.close();
    await rm(this.#path, { recursive: true, force: true }).catch(() => {});
  }

  #write(): void {
    if (this.#closed || !this.#changed) return;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    const file = join(this.#path, PROGRAMME);
    try {
      while (this.#changed) {
        this.#changed = false;
        await mkdir(this.#path, { recursive: true });
        await writeFile(`${file}.new`, JSON.stringify(this.#kept));
        await rename(`${file}.new`, file);
      }
      this.#report(PROGRAMME, null);
    } catch (error) {
      this.#changed = true;
      this.#report(PROGRAMME, error);
    }
  }

  #report(who: string, error: unknown): void {
    const before = this.#failing.size;
    if (error === null) this.#failing.delete(who);
    else this.#failing.add(who);
    if (before === 0 && this.#failing.size > 0) this.#disk.alarm(error);
    if (before > 0 && this.#failing.size === 0) this.#disk.alarm(null);
  }
}

const parseKept = (text: string): KeptProgramme | undefined => {
  const value: unknown = JSON.parse(text);
  const kept = value as KeptProgramme;
  const sound =
    typeof kept?.name === 'string' &&
    typeof kept.secret === 'string' &&
    typeof kept.ended === 'boolean' &&
    typeof kept.grid?.part === 'number' &&
    typeof kept.grid.segment === 'number' &&
    Array.isArray(kept.titles);
  return sound ? kept : undefined;
};

const keptIn = (path: string): KeptProgramme | undefined => {
  try {
    return parseKept(readFileSync(join(path, PROGRAMME), 'utf8'));
  } catch {
    return undefined;
  }
};

const foldersIn = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

/** Removes folders, later and as far as it goes. */
export const removeFolders = (paths: readonly string[]): void => {
  for (const path of paths) void rm(path, { recursive: true, force: true }).catch(() => {});
};

/** Removes windows of channels that are no more. */
export const sweepWindows = (folder: string, slugs: ReadonlySet<string>): void =>
  removeFolders(
    foldersIn(folder)
      .filter((slug) => !slugs.has(slug))
      .map((slug) => join(folder, slug)),
  );
