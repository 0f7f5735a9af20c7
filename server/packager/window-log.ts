/**
 * What of a rendition's window is on disk: a log with one line when a segment is begun, and one when
 * it is complete. The newest line of a name counts. A line is written after the bytes it speaks of.
 */
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';
import { type Samples, samples, utc } from '../../shared/time.ts';
import type { SegmentHead } from './segmenter.ts';
import { writeAll } from './write-all.ts';

/** One line. */
export type Indexed = SegmentHead & {
  /** Of a complete segment. */
  readonly whole: {
    readonly duration: Samples;
    /** Length of the fMP4 file, and of the transport stream's; 0 where there is none. */
    readonly bytes: number;
    readonly tsBytes: number;
    /** Where the playlist began once it had this segment. */
    readonly from: number;
  } | null;
};

/** Lines beyond those that still count, before the log is written anew. */
const OUTDATED_MOST = 512;

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const wholeOf = (value: unknown): Indexed['whole'] | undefined => {
  if (value === null) return null;
  const { duration, bytes, tsBytes, from } = (value ?? {}) as Record<string, unknown>;
  if (!isCount(duration) || !isCount(bytes) || !isCount(tsBytes) || !isCount(from))
    return undefined;
  return { duration: samples(duration), bytes, tsBytes, from };
};

const parsed = (line: string): Indexed | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const fields = (value ?? {}) as Record<string, unknown>;
  const { sequence, at, discontinuity, discontinuities, name } = fields;
  const whole = wholeOf(fields.whole);
  if (!isCount(sequence) || !isCount(at) || !isCount(discontinuities)) return undefined;
  if (typeof fields.utc !== 'number' || !Number.isFinite(fields.utc)) return undefined;
  if (typeof discontinuity !== 'boolean' || name !== String(sequence) || whole === undefined)
    return undefined;
  const dated = { utc: utc(fields.utc), discontinuity, discontinuities, name };
  return { sequence, at: samples(at), ...dated, whole };
};

/** Reads a log, oldest segment first; what is torn or damaged is left out. */
export const parseLog = (text: string): Indexed[] => {
  const known = new Map<number, Indexed>();
  for (const line of text.split('\n')) {
    const indexed = parsed(line);
    if (indexed !== undefined) known.set(indexed.sequence, indexed);
  }
  return [...known.values()].sort((one, other) => one.sequence - other.sequence);
};

/** The log of one rendition. Its methods may not overlap. */
export class WindowLog {
  readonly #path: string;
  /** What the log has to say, by name. */
  readonly #lines = new Map<string, string>();
  #written = 0;
  /** Open for appending: that costs more than a line does. */
  #handle: FileHandle | undefined;
  /** Whether the file says what is true, or did so before a restart. */
  #file: 'absent' | 'old' | 'current';

  constructor(path: string, known: readonly Indexed[] = []) {
    this.#path = path;
    this.#file = known.length > 0 ? 'old' : 'absent';
    for (const indexed of known) this.#lines.set(indexed.name, JSON.stringify(indexed));
  }

  /** Adds a line, and writes the file anew when it is not current or has grown too long. */
  async add(indexed: Indexed): Promise<void> {
    const line = JSON.stringify(indexed);
    this.#lines.set(indexed.name, line);
    if (this.#file !== 'current' || this.#written > 2 * this.#lines.size + OUTDATED_MOST)
      return this.#rewrite();
    this.#handle ??= await open(this.#path, 'a');
    await writeAll(this.#handle, Buffer.from(`${line}\n`));
    this.#written += 1;
  }

  /** A segment is there no longer. */
  forget(name: string): void {
    this.#lines.delete(name);
  }

  /** The window on disk is behind the one that players see: after a restart it must not count. */
  async disown(): Promise<void> {
    await this.close();
    if (this.#file === 'absent') return;
    await rm(this.#path, { force: true });
    this.#file = 'absent';
  }

  /** Lets go of the file, whatever the disk says to that; a later line opens it again. */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => {});
  }

  async #rewrite(): Promise<void> {
    await this.close();
    const fresh = `${this.#path}.new`;
    if (this.#file === 'current') this.#file = 'old';
    await writeFile(fresh, [...this.#lines.values()].map((line) => `${line}\n`).join(''));
    await rename(fresh, this.#path);
    this.#written = this.#lines.size;
    this.#file = 'current';
  }
}
