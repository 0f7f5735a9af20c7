/**
 * The bytes of one rendition's segments on disk; the newest, and what is not written yet, in memory.
 * Nobody waits for the disk: parts are written one after the other behind the broadcast's back. While
 * the disk fails, segments stay in memory, three minutes of them; what does not fit is lost.
 */
import { type FileHandle, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileReads } from './file-reads.ts';
import { bytesOf, durationOf } from './hls-bitrates.ts';
import type { SegmentBytes, SegmentStore, Stored } from './segment-store.ts';
import type { SegmentHead } from './segmenter.ts';
import type { Part, Segment } from './track.ts';
import { type Indexed, WindowLog } from './window-log.ts';
import { writeAll } from './write-all.ts';

/** Complete segments whose parts are kept in memory: for three target durations after their tags. */
const YOUNG = 6;
/** Segments that may wait for the disk. */
const UNWRITTEN_MOST = 48;

type Complete = { readonly segment: Segment; readonly bytes: SegmentBytes; readonly from: number };

type Entry = {
  readonly head: SegmentHead;
  parts: readonly Part[];
  complete: Complete | undefined;
  /** Parts that are in the file. */
  written: number;
  saved: boolean;
};

type Growing = { readonly name: string; readonly handle: FileHandle };

/** What a store is made of. */
export type DiskStoreOptions = {
  readonly reads: FileReads;
  /** Told the error when the disk begins to fail, and null when all is written again. */
  readonly failing: (error: unknown) => void;
  /** Told each time when all that there was has been written. */
  readonly written?: () => void;
  /** What was listed before a restart, and what is in the files of all. */
  readonly listed?: readonly Segment[];
  readonly indexed?: readonly Indexed[];
};

/** Keeps one rendition's window in a folder. */
export class DiskStore implements SegmentStore {
  readonly #folder: string;
  readonly #options: DiskStoreOptions;
  readonly #index: WindowLog;
  readonly #entries = new Map<string, Entry>();
  readonly #lost = new Set<string>();
  #evicted: string[] = [];
  #made = false;
  #failing = false;
  #closed = false;
  #writing: Promise<void> | undefined;
  /** The file that grows: opened once a segment, for opening costs more than writing a part. */
  #growing: Growing | undefined;

  constructor(folder: string, options: DiskStoreOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#index = new WindowLog(join(folder, 'index.jsonl'), options.indexed ?? []);
    for (const segment of options.listed ?? []) this.#recall(segment);
  }

  /** Segments in memory, complete or not. */
  get size(): number {
    return this.#entries.size;
  }

  append(head: SegmentHead, part: Part): void {
    const entry = this.#entries.get(head.name);
    if (entry !== undefined) entry.parts = [...entry.parts, part];
    else {
      const { name } = head;
      const begun = { head, parts: [part], complete: undefined, written: 0, saved: false };
      this.#entries.set(name, begun);
    }
    this.#write();
  }

  complete(segment: Segment, bytes: SegmentBytes, from: number): void {
    const entry = this.#entries.get(segment.name);
    if (entry === undefined) return;
    entry.parts = segment.parts;
    entry.complete = { segment, bytes, from };
    this.#dropUnwritten();
    this.#write();
  }

  part(name: string, index: number): Stored {
    return this.#entries.get(name)?.parts[index]?.bytes;
  }

  media(name: string): Stored {
    const entry = this.#entries.get(name);
    return entry === undefined ? this.#read(name, 'm4s') : entry.complete?.bytes.media;
  }

  ts(name: string): Stored {
    const entry = this.#entries.get(name);
    const kept = entry?.complete?.bytes.ts ?? undefined;
    return kept === undefined && entry?.saved !== false ? this.#read(name, 'ts') : kept;
  }

  lost(name: string): boolean {
    return this.#lost.has(name);
  }

  evict(name: string): void {
    this.#entries.delete(name);
    this.#lost.delete(name);
    this.#index.forget(name);
    this.#evicted.push(name);
    this.#write();
  }

  /** Resolves when what can be written has been, or the disk failed at it. */
  async flush(): Promise<void> {
    await this.#writing;
    this.#write();
    await this.#writing;
  }

  /** Nothing is written from here on. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    await this.#letGo().catch(() => {});
    await this.#index.close();
  }

  /** A segment from before a restart: its parts are listed, or it goes on. */
  #recall(segment: Segment): void {
    const { name, parts, complete } = segment;
    if (parts.length === 0) return;
    const media = Buffer.concat(parts.map(({ bytes }) => bytes));
    const from = segment.sequence;
    this.#entries.set(name, {
      head: segment,
      parts,
      complete: complete ? { segment, bytes: { media, ts: null }, from } : undefined,
      // The end of a file that a crash tore is cut off by writing it anew.
      written: 0,
      saved: complete,
    });
  }

  /** Of what could not be written there may be a beginning, which is not to be told as the whole. */
  #read(name: string, kind: 'm4s' | 'ts'): Stored {
    if (this.#lost.has(name)) return undefined;
    return this.#options.reads.read(join(this.#folder, `${name}.${kind}`));
  }

  #write(): void {
    if (this.#closed) return;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    try {
      while (!this.#closed && (await this.#writeOne()));
      if (this.#failing) this.#options.failing(null);
      this.#failing = false;
      this.#options.written?.();
    } catch (error) {
      if (!this.#failing) this.#options.failing(error);
      this.#failing = true;
      // Perhaps somebody has removed the folder.
      this.#made = false;
      await this.#letGo().catch(() => {});
      await this.#index.disown().catch(() => {});
    }
  }

  /** Writes what comes next; false when there is nothing. Tried again with the next part. */
  async #writeOne(): Promise<boolean> {
    const gone = this.#evicted;
    if (gone.length > 0) {
      this.#evicted = [];
      for (const name of gone) await this.#remove(name);
    }
    const entry = [...this.#entries.values()].find(isDue);
    if (entry === undefined) return gone.length > 0;
    if (!this.#made) await mkdir(this.#folder, { recursive: true });
    this.#made = true;
    await this.#writeParts(entry);
    if (entry.complete !== undefined && entry.written === entry.parts.length)
      await this.#finish(entry, entry.complete);
    return true;
  }

  async #writeParts(entry: Entry): Promise<void> {
    const { head, written, parts } = entry;
    if (written === parts.length) return;
    // Should this fail, who knows what is in the file.
    entry.written = 0;
    const growing = this.#growing?.name === head.name ? this.#growing : undefined;
    const { handle } = growing ?? (await this.#create(head.name));
    const unwritten = growing === undefined ? parts : parts.slice(written);
    for (const { bytes } of unwritten) await writeAll(handle, bytes);
    if (growing === undefined) await this.#index.add({ ...headOf(head), whole: null });
    entry.written = parts.length;
  }

  async #create(name: string): Promise<Growing> {
    await this.#letGo();
    this.#growing = { name, handle: await open(join(this.#folder, `${name}.m4s`), 'w') };
    return this.#growing;
  }

  /** No segment's file is written to any more. */
  async #letGo(): Promise<void> {
    const growing = this.#growing;
    this.#growing = undefined;
    await growing?.handle.close();
  }

  async #finish(entry: Entry, { segment, bytes, from }: Complete): Promise<void> {
    await this.#letGo();
    const { ts } = bytes;
    if (ts !== null) await writeFile(join(this.#folder, `${segment.name}.ts`), ts);
    const duration = durationOf(segment);
    const whole = { duration, bytes: bytesOf(segment), tsBytes: ts?.length ?? 0, from };
    await this.#index.add({ ...headOf(segment), whole });
    entry.saved = true;
    const complete = [...this.#entries.values()].filter((one) => one.complete !== undefined);
    for (const { head, saved } of complete.slice(0, -YOUNG))
      if (saved) this.#entries.delete(head.name);
  }

  async #remove(name: string): Promise<void> {
    for (const kind of ['m4s', 'ts'])
      await rm(join(this.#folder, `${name}.${kind}`), { force: true }).catch(() => {});
  }

  #dropUnwritten(): void {
    const unwritten = [...this.#entries.values()].filter(({ saved }) => !saved);
    for (const { head } of unwritten.slice(0, -UNWRITTEN_MOST)) {
      this.#entries.delete(head.name);
      this.#lost.add(head.name);
    }
  }
}

const isDue = ({ parts, written, complete, saved }: Entry): boolean =>
  !saved && (written < parts.length || complete !== undefined);

const headOf = (head: SegmentHead): SegmentHead => {
  const { sequence, at, utc, discontinuity, discontinuities, name } = head;
  return { sequence, at, utc, discontinuity, discontinuities, name };
};
