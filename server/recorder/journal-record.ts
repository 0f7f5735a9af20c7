/**
 * One record of the journal: u16 length and u32 CRC-32 of the frame, then the frame exactly as it
 * came over the wire. Records follow each other without anything between or before them.
 */
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { decodeFrame, type Frame, HEADER_BYTES, MAX_FRAME_BYTES } from '../../shared/frame.ts';

/** Bytes before the frame. */
export const RECORD_HEADER = 6;

/** The first byte of every audio frame (shared/frame.ts). */
const KIND_AUDIO = 1;

/** Writes a frame as a record. */
export const recordOf = (frame: Uint8Array): Buffer => {
  const record = Buffer.allocUnsafe(RECORD_HEADER + frame.length);
  record.writeUInt16BE(frame.length, 0);
  record.writeUInt32BE(crc32(frame), 2);
  record.set(frame, RECORD_HEADER);
  return record;
};

/**
 * So many of the records in a buffer, after others that are skipped; fewer where it ends. Where the
 * lengths lead to what is no record, something is damaged, and it is the whole buffer.
 */
export const recordsIn = (records: Buffer, skipped: number, count: number): Buffer => {
  let [from, to] = [0, 0];
  for (let index = 0; index < skipped + count && to < records.length; index += 1) {
    if (index === skipped) from = to;
    if (to + RECORD_HEADER >= records.length || records[to + RECORD_HEADER] !== KIND_AUDIO)
      return records;
    to += RECORD_HEADER + records.readUInt16BE(to);
  }
  return records.subarray(from, to);
};

/** A journal is read in pieces of this size, bytes. */
const PIECE = 1024 * 1024;

/** A file from a place on, piece by piece; each is overwritten by the next one. */
export async function* piecesOf(file: FileHandle, from = 0): AsyncGenerator<Buffer> {
  const piece = Buffer.allocUnsafe(PIECE);
  for (let at = from; ; ) {
    const { bytesRead } = await file.read(piece, 0, PIECE, at);
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** What is told of each good record: the frame, and where in the file its record begins. */
export type Found = (frame: Frame, offset: number) => void;

/**
 * Reads a journal from consecutive pieces of its file. After damage it looks for the next byte at
 * which a record with a right checksum begins, and counts what it had to leave out.
 */
export class RecordReader {
  readonly #found: Found;
  #held: Buffer = Buffer.alloc(0);
  /** Position of `#held` in the file. */
  #base = 0;
  #end = 0;
  #damaged = 0;

  constructor(found: Found) {
    this.#found = found;
  }

  /** File position after the last good record; what follows it cannot be read. */
  get end(): number {
    return this.#end;
  }

  /** Bytes before `end` that belong to no good record. */
  get damaged(): number {
    return this.#damaged;
  }

  read(piece: Uint8Array): void {
    this.#take(Buffer.concat([this.#held, piece]), false);
  }

  /** Says that there is no more; a record that was waited for is not one. */
  finish(): void {
    this.#take(this.#held, true);
  }

  #take(buffer: Buffer, whole: boolean): void {
    let at = 0;
    while (at < buffer.length) {
      const length = this.#lengthAt(buffer, at);
      if (length === null && !whole) break;
      const frame = length ? this.#frameAt(buffer, at, length) : undefined;
      if (frame === undefined) at += 1;
      else {
        const offset = this.#base + at;
        this.#damaged += offset - this.#end;
        at += RECORD_HEADER + frame.bytes.length;
        this.#end = this.#base + at;
        this.#found(frame, offset);
      }
    }
    this.#held = buffer.subarray(at);
    this.#base += at;
  }

  /** Length of the frame of a record that may begin here; 0 when none can, null: not all is here. */
  #lengthAt(buffer: Buffer, at: number): number | null {
    if (buffer.length - at <= RECORD_HEADER) return null;
    const length = buffer.readUInt16BE(at);
    if (length <= HEADER_BYTES || length > MAX_FRAME_BYTES) return 0;
    if (buffer[at + RECORD_HEADER] !== KIND_AUDIO) return 0;
    return buffer.length - at < RECORD_HEADER + length ? null : length;
  }

  #frameAt(buffer: Buffer, at: number, length: number): Frame | undefined {
    const from = at + RECORD_HEADER;
    const bytes = buffer.subarray(from, from + length);
    if (crc32(bytes) !== buffer.readUInt32BE(at + 2)) return undefined;
    try {
      return decodeFrame(bytes);
    } catch {
      return undefined;
    }
  }
}
