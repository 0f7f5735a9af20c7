/**
 * The journal of one broadcast: a file to which frames are only ever appended. Entering a frame
 * costs no time; `flush` writes what was entered and makes it last, and only then it counts.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import type { FrameId } from '../../shared/control.ts';
import { type Frame, MAX_FRAME_BYTES } from '../../shared/frame.ts';
import type { Samples } from '../../shared/time.ts';
import { writeAll } from '../packager/write-all.ts';
import { type Block, BlockIndex, type Entry, type Mark } from './blocks.ts';
import { freeName } from './free-name.ts';
import { piecesOf, RECORD_HEADER, RecordReader, recordOf, recordsIn } from './journal-record.ts';

/** Bytes that may wait for the disk: at 64 kbit/s a quarter of an hour. */
const MOST_PENDING = 8 * 1024 * 1024;

const { O_CREAT, O_EXCL, O_RDWR, O_RDONLY, O_TRUNC } = constants;

/**
 * Frames could not be made durable; `code` is the system's, `SLOW`: the disk did not keep up, or
 * `LOST`: somebody else's write failed, and what waited with it is forgotten.
 */
export class DiskFailure extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`A journal could not be written (${code}).`);
    this.code = code;
  }
}

const failureOf = (error: unknown): DiskFailure =>
  new DiskFailure(error instanceof Error && 'code' in error ? String(error.code) : 'unknown');

/** The frames of one broadcast, on disk. */
export class Journal {
  readonly path: string;
  readonly #log: FastifyBaseLogger;
  readonly #index = new BlockIndex();
  #file: FileHandle | undefined;
  #durable: Mark = this.#index.mark();
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #rollbacks = 0;
  /** Where the next record goes: not where the last good one ends, when damage lies between. */
  #writeAt = 0;
  #fresh = true;
  #work: Promise<void> = Promise.resolve();
  #tasks = 0;

  private constructor(path: string, log: FastifyBaseLogger) {
    this.path = path;
    this.#log = log;
  }

  /** A journal that is not there yet; the first flush makes the file and touches no other. */
  static begin(path: string, { log }: { log: FastifyBaseLogger }): Journal {
    return new Journal(path, log);
  }

  /** Reads an existing journal. Rejects with the system's error when there is none. */
  static async read(path: string, { log }: { log: FastifyBaseLogger }): Promise<Journal> {
    const journal = new Journal(path, log);
    const file = await open(path, O_RDONLY);
    try {
      await journal.#scan(file);
    } finally {
      await file.close();
    }
    return journal;
  }

  /** Changes exactly when what is durable does. */
  get durableBytes(): number {
    return this.#durable.end;
  }

  /** The first durable block; undefined while there is none. */
  get first(): Block | undefined {
    const [first] = this.#index.from({ epoch: this.#index.firstEpoch, sequence: 0 }, this.#durable);
    return first;
  }

  /**
   * How often what waited for the disk was forgotten because a write failed. Who enters frames
   * notes it before, and says it at the flush: others write into this journal, too.
   */
  get rollbacks(): number {
    return this.#rollbacks;
  }

  /** Whether a flush is under way; where none is, one takes what is there in the same turn. */
  get busy(): boolean {
    return this.#tasks > 0;
  }

  /** The durable frames, by epoch and sequence. */
  blocks(): Block[] {
    return this.#index.until(this.#durable);
  }

  /** Durable frames from a place on, or the next that there is: `most` samples in whole frames. */
  async frames(from: FrameId, most: Samples): Promise<Frame[]> {
    const frames: Frame[] = [];
    const reader = new RecordReader((frame) => {
      if (frame.epoch !== from.epoch || frame.sequence >= from.sequence) frames.push(frame);
    });
    const file = await open(this.path, O_RDONLY);
    try {
      let media = 0;
      for (const block of this.#index.from(from, this.#durable)) {
        const { epoch, sequence, offset, bytes, duration } = block;
        const records = Buffer.allocUnsafe(bytes);
        const { bytesRead } = await file.read(records, 0, bytes, offset);
        const skipped = epoch === from.epoch ? Math.max(0, from.sequence - sequence) : 0;
        const wanted = Math.ceil((most - media) / duration);
        reader.read(recordsIn(records.subarray(0, bytesRead), skipped, wanted));
        media += Math.min(wanted, block.count - skipped) * duration;
        if (media >= most) break;
      }
    } finally {
      await file.close();
    }
    return frames;
  }

  /** The durable frame so much media before the newest, or the first. */
  before(span: Samples): FrameId | undefined {
    let left = span as number;
    let found: FrameId | undefined;
    for (const { epoch, sequence, count, duration } of this.#index.backwards(this.#durable)) {
      const inside = Math.ceil(left / duration);
      if (inside <= count) return { epoch, sequence: sequence + count - inside };
      left -= count * duration;
      found = { epoch, sequence };
    }
    return found;
  }

  /** First sequence after all that is there of an epoch; undefined when nothing is. */
  next(epoch: number): number | undefined {
    return this.#index.next(epoch);
  }

  /**
   * Enters a frame that will be written at the next flush.
   *
   * @throws {DiskFailure} when 8 MB wait already.
   */
  enter(frame: Frame): Entry {
    if (this.#pendingBytes >= MOST_PENDING) throw new DiskFailure('SLOW');
    const entry = this.#index.enter(frame, this.#writeAt);
    if (entry !== 'entered') return entry;
    const record = recordOf(frame.bytes);
    this.#pending.push(record);
    this.#pendingBytes += record.length;
    this.#writeAt += record.length;
    return entry;
  }

  /** Bytes entered and not yet written. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Resolves when everything is on disk that was entered since a number of rollbacks. Rejects with a
   * `DiskFailure` when it cannot be, or when there was another rollback meanwhile; all that was not
   * durable is forgotten then, and the file ends where it did.
   */
  flush(since = this.#rollbacks): Promise<void> {
    return this.#inTurn(async () => {
      if (since !== this.#rollbacks) throw new DiskFailure('LOST');
      await this.#write();
    });
  }

  /** Closes the file after what is under way; a later flush opens it again. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      const file = this.#file;
      this.#file = undefined;
      await file?.close();
    });
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const turn = this.busy ? this.#work.catch(() => {}).then(act) : act();
    this.#tasks += 1;
    this.#work = turn.finally(() => {
      this.#tasks -= 1;
    });
    return this.#work;
  }

  async #write(): Promise<void> {
    if (this.#pending.length === 0) return;
    const bytes = Buffer.concat(this.#pending);
    const mark = this.#index.mark();
    const from = this.#writeAt - this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      this.#file ??= await this.#openFile(from);
      await writeAll(this.#file, bytes, from);
      await this.#file.datasync();
      this.#durable = mark;
    } catch (error) {
      this.#pending = [];
      this.#pendingBytes = 0;
      this.#writeAt = from;
      this.#rollbacks += 1;
      this.#index.rollBack(this.#durable);
      await this.#file?.truncate(from).catch(() => {});
      throw failureOf(error);
    }
  }

  async #openFile(from: number): Promise<FileHandle> {
    if (!this.#fresh) {
      const file = await open(this.path, O_RDWR);
      await this.#clearTail(file, from);
      return file;
    }
    const file = await open(this.path, O_RDWR | O_CREAT | O_EXCL, 0o600);
    this.#fresh = false;
    // The name in the folder has to last as well.
    const folder = await open(dirname(this.path), O_RDONLY);
    await folder.datasync().finally(() => folder.close());
    return file;
  }

  async #scan(file: FileHandle): Promise<void> {
    this.#fresh = false;
    const reader = new RecordReader((frame, offset) => this.#index.enter(frame, offset));
    for await (const piece of piecesOf(file)) reader.read(piece);
    reader.finish();
    this.#writeAt = reader.end;
    this.#durable = this.#index.mark();
    if (reader.damaged > 0)
      this.#log.error(
        { damaged: reader.damaged },
        'A journal is damaged in the middle; what is unreadable was left out and left alone.',
      );
  }

  /** Makes room behind the last good record. What may be more than one torn record is kept aside. */
  async #clearTail(file: FileHandle, from: number): Promise<void> {
    const { size } = await file.stat();
    const tail = size - from;
    if (tail <= 0) return;
    const kept = tail > RECORD_HEADER + MAX_FRAME_BYTES;
    if (kept) await this.#keepAside(file, from);
    await file.truncate(from);
    this.#log.warn({ tail, kept }, 'The end of a journal could not be read and was cut off.');
  }

  async #keepAside(file: FileHandle, from: number): Promise<void> {
    // Not under its name before it is whole: a crash or a full disk may come between.
    const fresh = `${this.path}.aside-${from}.new`;
    const aside = await open(fresh, O_RDWR | O_CREAT | O_TRUNC, 0o600);
    try {
      let at = 0;
      for await (const piece of piecesOf(file, from)) {
        await writeAll(aside, piece, at);
        at += piece.length;
      }
      await aside.datasync();
    } finally {
      await aside.close();
    }
    await rename(fresh, await freeName(`${this.path}.aside-${from}`));
  }
}
