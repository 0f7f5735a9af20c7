/**
 * Makes the AAC copy of a recording: its frames through a transcoder of its own, as fast as that
 * takes them, into one MP4 file. The file appears under its name only when it is whole.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { decodeFrame, type Frame } from '../../shared/frame.ts';
import { type Samples, samples, utc } from '../../shared/time.ts';
import type { AccessUnit, Piece } from '../packager/track.ts';
import type { Transcoder, TranscoderSink } from '../transcoder/transcoder.ts';
import type { Block } from './blocks.ts';
import { RECORD_HEADER } from './journal-record.ts';
import { AAC_UNIT, movieHead } from './mp4.ts';
import { PRE_SKIP } from './ogg.ts';
import type { Chapter } from './opus-headers.ts';
import type { Timeline } from './timeline.ts';

/** The copy's rendition. */
export const COPY = { name: 'aac128', codec: 'aac', channels: 2, bitrate: 128_000 } as const;

/** Units of silence before the sound, in which the encoder begins; the edit list hides them. */
export const LEAD_UNITS = 2;
const LEAD = samples(LEAD_UNITS * AAC_UNIT);

/** Sound that may wait for the codecs, samples: a second. */
const MOST_BEHIND = 48_000;

/** Bytes written at once. */
const WRITE = 262_144;

/** No unit for so long: it will never be made, ms. */
const STUCK = 30_000;

/** How gladly the codecs give way to what is live. */
const NICE = 15;

/** What a copy is made of. */
export type CopyOptions = {
  readonly timeline: Timeline;
  /** The journal. */
  readonly source: string;
  readonly target: string;
  readonly title: string;
  readonly created: number;
  readonly chapters: readonly Chapter[];
  readonly createTranscoder: (
    sink: TranscoderSink,
  ) => Transcoder & { readonly pid?: number | undefined };
  /** Told from time to time how far it is, from 0 to 1. */
  readonly progress: (share: number) => void;
  readonly signal: AbortSignal;
};

/** Sizes of units, in a buffer that grows. */
class Sizes {
  #sizes = new Uint32Array(4096);
  #count = 0;

  push(size: number): void {
    if (this.#count === this.#sizes.length) {
      const larger = new Uint32Array(this.#sizes.length * 2);
      larger.set(this.#sizes);
      this.#sizes = larger;
    }
    this.#sizes[this.#count] = size;
    this.#count += 1;
  }

  get all(): Uint32Array {
    return this.#sizes.subarray(0, this.#count);
  }
}

/** Takes the units and lets others wait for them. */
class UnitWriter implements TranscoderSink {
  readonly sizes = new Sizes();
  readonly #file: FileHandle;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #end = 0;
  #wake: () => void = () => {};

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Track time after the last unit. */
  get end(): number {
    return this.#end;
  }

  unit(_rendition: string, { at, duration, bytes }: AccessUnit): void {
    this.sizes.push(bytes.length);
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#end = at + duration;
    this.#wake();
  }

  frame(): void {}
  loudness(): void {
    this.#wake();
  }

  async write({ all }: { all: boolean }): Promise<void> {
    if (this.#pendingBytes < WRITE && !all) return;
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    await this.#file.appendFile(bytes);
  }

  /** Resolves when something came out; false when nothing did for too long. */
  async next(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const late = setTimeout(() => resolve(false), STUCK);
    const stop = (): void => resolve(false);
    signal.addEventListener('abort', stop);
    this.#wake = () => resolve(true);
    const came = await promise;
    clearTimeout(late);
    signal.removeEventListener('abort', stop);
    return came && !signal.aborted;
  }
}

const framesOf = (records: Buffer, count: number): Frame[] => {
  const frames: Frame[] = [];
  for (let at = 0; frames.length < count && at + RECORD_HEADER < records.length; ) {
    const end = at + RECORD_HEADER + records.readUInt16BE(at);
    frames.push(decodeFrame(records.subarray(at + RECORD_HEADER, end)));
    at = end;
  }
  return frames;
};

/** Silence in pieces that a transcoder holds many of. */
function* silence(from: number, duration: Samples): Generator<Piece> {
  for (let done = 0; done < duration; ) {
    const length = Math.min(duration - done, MOST_BEHIND / 2);
    yield { kind: 'silence', at: samples(from + done), duration: samples(length) };
    done += length;
  }
}

async function* piecesOf({ placed }: Timeline, source: FileHandle): AsyncGenerator<Piece> {
  yield { kind: 'discontinuity', at: samples(0), utc: utc(0) };
  yield* silence(0, LEAD);
  const recordsOf = async ({ bytes, offset }: Block): Promise<Buffer> => {
    const records = Buffer.allocUnsafe(bytes);
    const { bytesRead } = await source.read(records, 0, bytes, offset);
    return records.subarray(0, bytesRead);
  };
  for (const { block, at, hole } of placed) {
    yield* silence(LEAD + at - hole, hole);
    let place = LEAD + at;
    for (const frame of framesOf(await recordsOf(block), block.count)) {
      yield { kind: 'frame', at: samples(place), frame };
      place += frame.duration;
    }
  }
}

/**
 * Makes the copy. Resolves with true when it is there, false when there is no AAC encoder here or
 * the work was aborted. Rejects when files fail or the codecs make nothing of it.
 */
export const makeAacCopy = async (options: CopyOptions): Promise<boolean> => {
  const { target, source, timeline, signal } = options;
  const units = `${target}.units`;
  const whole = `${target}.part`;
  const [from, to] = [await open(source, 'r'), await open(units, 'w+', 0o600)];
  const writer = new UnitWriter(to);
  const transcoder = options.createTranscoder(writer);
  try {
    if (!(await transcoder.available())) return false;
    if (transcoder.pid !== undefined) giveWay(transcoder.pid);
    const total = LEAD + timeline.duration;
    const settle = async (enough: () => boolean): Promise<void> => {
      while (!enough()) {
        const came = await writer.next(signal);
        await writer.write({ all: false });
        if (!came && !signal.aborted)
          throw new Error('The transcoder made nothing of a recording.');
        if (signal.aborted) return;
      }
    };
    for await (const piece of piecesOf(timeline, from)) {
      transcoder.push(piece);
      await settle(() => transcoder.behind < MOST_BEHIND);
      if (signal.aborted) return false;
      options.progress(Math.min(1, writer.end / total));
    }
    transcoder.end();
    await settle(() => writer.end >= total);
    if (signal.aborted) return false;
    await writer.write({ all: true });
    await assemble(whole, { units: to, sizes: writer.sizes.all, options });
    await rename(whole, target);
    return true;
  } finally {
    await transcoder.close();
    await from.close();
    await to.close();
    await rm(units, { force: true });
    await rm(whole, { force: true });
  }
};

const giveWay = (pid: number): void => {
  try {
    setPriority(pid, NICE);
  } catch {
    // It has gone, or may not: it only costs others some time.
  }
};

/** Puts the head before the units. */
const assemble = async (
  path: string,
  { units, sizes, options }: { units: FileHandle; sizes: Uint32Array; options: CopyOptions },
): Promise<void> => {
  const { chapters, title, created, timeline } = options;
  const file = await open(path, 'w', 0o600);
  try {
    // Like the original's pre-skip: the Opus encoder's delay is taken away here as well.
    const skip = samples(LEAD + PRE_SKIP);
    const duration = samples(timeline.duration - PRE_SKIP);
    const movie = { rendition: COPY, sizes, skip, duration };
    await file.appendFile(movieHead({ ...movie, chapters, title, created }));
    const piece = Buffer.allocUnsafe(4 * WRITE);
    for (let at = 0; ; ) {
      const { bytesRead } = await units.read(piece, 0, piece.length, at);
      if (bytesRead === 0) break;
      await file.appendFile(piece.subarray(0, bytesRead));
      at += bytesRead;
    }
    await file.datasync();
  } finally {
    await file.close();
  }
};
