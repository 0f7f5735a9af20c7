/** An AAC copy: its chapters, and its access units, read from where they are in its file. */
import { type FileHandle, open } from 'node:fs/promises';
import { samples } from '../../shared/time.ts';
import type { Chapter } from './opus-headers.ts';

/** Where boxes lie one in the other down to the table of sizes, and to the list of chapters. */
const TO_SIZES = ['trak', 'mdia', 'minf', 'stbl', 'stsz'];
const TO_CHAPTERS = ['udta', 'skyw'];

/** Bytes of a chapter before its name. */
const ENTRY_HEAD = 10;

/** Head of an `mdat` whose size has 64 bits. */
const MEDIA_HEAD = 16;

/** Content of the first box of a type; undefined when there is none. */
const contentOf = (boxes: Buffer, type: string): Buffer | undefined => {
  for (let at = 0; at + 8 <= boxes.length; ) {
    const size = boxes.readUInt32BE(at);
    if (size < 8) return undefined;
    if (boxes.toString('latin1', at + 4, at + 8) === type) return boxes.subarray(at + 8, at + size);
    at += size;
  }
  return undefined;
};

const contentAlong = (boxes: Buffer, way: readonly string[]): Buffer | undefined => {
  let content: Buffer | undefined = boxes;
  for (const type of way) content &&= contentOf(content, type);
  return content;
};

/** The chapters in the order they were written: the reverse of `mp4.ts`. */
const chaptersIn = (movie: Buffer): Chapter[] => {
  const list = contentAlong(movie, TO_CHAPTERS);
  const chapters: Chapter[] = [];
  for (let at = 0; list !== undefined && at + ENTRY_HEAD <= list.length; ) {
    const end = at + ENTRY_HEAD + list.readUInt16BE(at + 8);
    const date = samples(Number(list.readBigUInt64BE(at)));
    chapters.push({ at: date, name: list.toString('utf8', at + ENTRY_HEAD, end) });
    at = end;
  }
  return chapters;
};

const readAt = async (file: FileHandle, at: number, length: number): Promise<Buffer> => {
  const bytes = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(bytes, 0, length, at);
  if (bytesRead < length) throw new Error('A copy is shorter than it says.');
  return bytes;
};

/** One copy as its own file tells it: the journal is not asked. */
export class CopyFile {
  /** As they were when the copy was made, which is what its units are cut by. */
  readonly chapters: readonly Chapter[];
  readonly #path: string;
  /** Where each unit begins, and where the last one ends. */
  readonly #starts: Float64Array;

  private constructor(path: string, starts: Float64Array, chapters: readonly Chapter[]) {
    this.chapters = chapters;
    this.#path = path;
    this.#starts = starts;
  }

  /** Reads what a copy says of itself. Rejects when there is none, or it is not one of ours. */
  static async read(path: string): Promise<CopyFile> {
    const file = await open(path, 'r');
    try {
      const typeBytes = (await readAt(file, 0, 8)).readUInt32BE(0);
      const movieBytes = (await readAt(file, typeBytes, 8)).readUInt32BE(0);
      const movie = await readAt(file, typeBytes + 8, movieBytes - 8);
      const table = contentAlong(movie, TO_SIZES);
      if (table === undefined) throw new Error('A copy has no table of sizes.');
      const count = table.readUInt32BE(8);
      const starts = new Float64Array(count + 1);
      starts[0] = typeBytes + movieBytes + MEDIA_HEAD;
      for (let index = 0; index < count; index += 1)
        starts[index + 1] = (starts[index] ?? 0) + table.readUInt32BE(12 + 4 * index);
      return new CopyFile(path, starts, chaptersIn(movie));
    } finally {
      await file.close();
    }
  }

  /** Number of units. */
  get count(): number {
    return this.#starts.length - 1;
  }

  /** The units from one up to, not including, another. */
  async units(from: number, to: number): Promise<Buffer[]> {
    const startOf = (index: number): number => this.#starts[index] ?? 0;
    const file = await open(this.#path, 'r');
    try {
      const bytes = await readAt(file, startOf(from), startOf(to) - startOf(from));
      return Array.from({ length: to - from }, (_, index) =>
        bytes.subarray(
          startOf(from + index) - startOf(from),
          startOf(from + index + 1) - startOf(from),
        ),
      );
    } finally {
      await file.close();
    }
  }
}
