/**
 * What could not be sent, in the browser's private files, until the server has it: over the socket
 * after all, or by upload. Writing happens behind the caller's back and in order; whatever goes
 * wrong with it is told as trouble and never touches the broadcast.
 */
import { type Millis, millis, samplesToMillis, type Utc } from '../../shared/time.ts';
import { readLeftOver } from './left-over.ts';
import type { SpoolTrouble, UnsentPart } from './messages.ts';
import type { PrivateFile, PrivateFolder } from './private-files.ts';
import { lengthOfAll, overlap, type Range, uncovered, united } from './range.ts';
import type { HeldFrame } from './runs.ts';
import { joined, type Place, recordOf, recordsIn, segmentName } from './segment.ts';

/** A segment is closed at this size, bytes. */
const SEGMENT_BYTES = 1 << 20;
/** The whole spool has at most so much, and at most half of what the browser would give, bytes. */
const MOST_BYTES = 2 * 2 ** 30;

/** A segment as it is known here; on the disk there are the frames before `written`. */
export type Segment = Place &
  Range & {
    readonly name: string;
    readonly bytes: number;
    /** Of one frame, ms. */
    readonly frame: Millis;
    /** What of it goes up; null is all of it, because an earlier visit left it. */
    readonly owed: readonly Range[] | null;
    readonly written: number;
  };
type Mutable = { -readonly [Field in keyof Segment]: Segment[Field] } & {
  going: readonly Range[];
  /** What uploads have taken to the server. */
  brought: readonly Range[];
};
type Writing = { readonly segment: Mutable; file: PrivateFile | null; pending: Uint8Array[] };

const NOTHING_BROUGHT = { going: [], brought: [] } as const;

const lengthOf = ({ from, to, owed }: Segment): number =>
  owed === null ? to - from : lengthOfAll(owed);

/** The spool of one channel in this browser. */
export class Spool {
  readonly #folder: Promise<PrivateFolder | null>;
  readonly #random: () => number;
  readonly #segmentBytes: number;
  #segments: Mutable[] = [];
  #writing: Writing | null = null;
  #acked = new Map<number, number>();
  #limit = MOST_BYTES;
  #trouble: SpoolTrouble | null = null;
  /** Of earlier visits; keeps nothing else from working. */
  #unreadable = false;
  #dropped = 0;
  /** Everything that touches files, one after the other. */
  #chain: Promise<void>;

  constructor(
    folder: Promise<PrivateFolder | null>,
    { random, segmentBytes = SEGMENT_BYTES }: { random: () => number; segmentBytes?: number },
  ) {
    this.#folder = folder;
    this.#random = random;
    this.#segmentBytes = segmentBytes;
    this.#chain = Promise.resolve();
    this.#then(() => this.#find());
  }

  get trouble(): SpoolTrouble | null {
    return this.#trouble ?? (this.#unreadable ? 'unreadable' : null);
  }

  /** Frames that `owe` had counted as here and the disk did not take. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Bytes that go up, of everything or of the recordings asked for. */
  unsentBytes(wanted: (segment: Segment) => boolean): number {
    return this.#segments
      .filter(wanted)
      .reduce((sum, each) => sum + (each.bytes * lengthOf(each)) / (each.to - each.from), 0);
  }

  /** What goes up or waits to be asked for, by recording, the oldest first. */
  get parts(): UnsentPart[] {
    const parts = new Map<string, { begun: Utc; duration: Millis; left: boolean }>();
    for (const segment of this.#segments) {
      const { recording, begun, owed, frame } = segment;
      const duration = lengthOf(segment) * frame;
      if (duration === 0) continue;
      const part = parts.get(recording);
      if (part === undefined)
        parts.set(recording, { begun, duration: millis(duration), left: owed === null });
      else part.duration = millis(part.duration + duration);
    }
    return [...parts].map(([recording, part]) => ({ recording, ...part }));
  }

  /** The newest sequence here of an epoch: the recording is not whole before the server has it. */
  newestOf({ recording, epoch }: Place): number {
    const ends = this.#segments
      .filter((each) => each.recording === recording && each.epoch === epoch)
      .map(({ to }) => to - 1);
    return Math.max(0, ...ends);
  }

  /** Keeps a frame, given as it would have gone over the socket; false when there is no room. */
  keep(bytes: Uint8Array, { sequence, duration }: HeldFrame, place: Place): boolean {
    if (this.#trouble !== null) return false;
    if (this.#segments.reduce((sum, each) => sum + each.bytes, 0) >= this.#limit) {
      this.#trouble = 'full';
      return false;
    }
    const writing =
      this.#fitting(place, sequence) ?? this.#begin(place, sequence, samplesToMillis(duration));
    const record = recordOf(bytes);
    if (writing.pending.length === 0) this.#then(() => this.#write(writing));
    writing.pending.push(record);
    writing.segment.to = sequence + 1;
    writing.segment.bytes += record.length;
    return true;
  }

  /** Marks frames of an epoch for upload; returns how many of them are here. */
  owe(epoch: number, range: Range): number {
    let here = 0;
    for (const segment of this.#segments) {
      if (segment.owed === null || segment.epoch !== epoch) continue;
      const count = overlap(segment, range);
      if (count === 0) continue;
      here += count;
      const from = Math.max(segment.from, range.from);
      segment.owed = united(segment.owed, { from, to: from + count });
    }
    return here;
  }

  /** The server has what it was sent of an epoch up to here over the socket. */
  confirm(epoch: number, sequence: number): void {
    this.#acked.set(epoch, sequence);
    for (const segment of this.#segments) this.#tidy(segment);
  }

  /** The oldest segment wanted with something to upload; it is not written to from now on. */
  next(wanted: (segment: Segment) => boolean): Segment | undefined {
    const segment = this.#segments.find((each) => wanted(each) && lengthOf(each) > 0);
    if (segment !== undefined && this.#writing?.segment === segment) this.#seal();
    if (segment !== undefined) segment.going = segment.owed ?? [];
    return segment;
  }

  /**
   * The records of a segment that go up, every one that was written. @throws what the browser throws
   * for an unreadable file, and {RangeError} for one with fewer records.
   */
  async records(segment: Segment): Promise<Uint8Array<ArrayBuffer>[]> {
    const { name, from, owed } = segment;
    await this.#chain;
    const bytes = await (await this.#folder)?.read(name);
    const records = bytes === undefined ? [] : recordsIn(bytes);
    // What the disk did not take is no longer owed, so `written` counts as it is by now.
    const { written } = segment;
    const end = from + records.length;
    if ((owed ?? [segment]).some(({ to }) => Math.min(to, written) > end))
      throw new RangeError(`${name} ends at ${end}, not at ${written}.`);
    if (owed === null) return records;
    return owed.flatMap((range) => records.slice(range.from - from, range.to - from));
  }

  /** What a segment owed at `next` is with the server; it may have come to owe more meanwhile. */
  uploaded(segment: Segment): void {
    const known = this.#segments.find((each) => each === segment);
    if (known === undefined) return;
    if (known.owed === null) return this.#remove(known);
    known.brought = known.going.reduce(united, known.brought);
    known.owed = known.owed.flatMap((range) => uncovered(range, known.brought));
    this.#tidy(known);
  }

  /** The file of a segment has gone: another tab brought it, or the browser cleaned up. */
  forget(segment: Segment): void {
    this.#segments = this.#segments.filter((each) => each !== segment);
  }

  /** Deletes what is here of a recording. */
  discard(recording: string): void {
    for (const segment of this.#segments)
      if (segment.recording === recording) this.#remove(segment);
  }

  /** Puts everything on the disk; resolves when it is there. */
  settle(): Promise<void> {
    this.#seal();
    return this.#chain;
  }

  /** Resolves when the files of earlier visits are known. */
  get opened(): Promise<void> {
    return this.#chain;
  }

  #then(step: () => Promise<void>): void {
    this.#chain = this.#chain.then(step).catch((error: unknown) => {
      const full = error instanceof DOMException && error.name === 'QuotaExceededError';
      this.#fail(full ? 'full' : 'failed');
    });
  }

  async #find(): Promise<void> {
    const folder = await this.#folder;
    if (folder === null) return this.#fail('unsupported');
    const found: Mutable[] = [];
    for (const name of await folder.list()) {
      const left = await readLeftOver(folder, name);
      if (left === 'unreadable') this.#unreadable = true;
      else if (left !== null)
        found.push({ ...left, written: left.to, owed: null, ...NOTHING_BROUGHT });
    }
    found.sort((one, other) => one.begun - other.begun || one.from - other.from);
    this.#segments = [...found, ...this.#segments];
    const held = found.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#limit = Math.min(MOST_BYTES, held + (await folder.room()) / 2);
  }

  #fitting({ recording, epoch }: Place, sequence: number): Writing | null {
    const writing = this.#writing;
    const segment = writing?.segment;
    return segment?.epoch === epoch &&
      segment.recording === recording &&
      segment.to === sequence &&
      segment.bytes < this.#segmentBytes
      ? writing
      : null;
  }

  #begin(place: Place, from: number, frame: Millis): Writing {
    this.#seal();
    const name = segmentName(place, from, this.#random());
    const at = { from, to: from, written: from, bytes: 0, owed: [], ...NOTHING_BROUGHT };
    const segment = { ...place, name, frame, ...at };
    this.#segments.push(segment);
    this.#writing = { segment, file: null, pending: [] };
    return this.#writing;
  }

  async #write(writing: Writing): Promise<void> {
    const { segment, pending } = writing;
    writing.pending = [];
    if (!this.#segments.includes(segment)) return;
    const folder = await this.#folder;
    writing.file ??= (await folder?.create(segment.name)) ?? null;
    writing.file?.append(joined(pending));
    segment.written += pending.length;
  }

  #seal(): void {
    const writing = this.#writing;
    if (writing === null) return;
    this.#writing = null;
    this.#then(async () => writing.file?.close());
  }

  /** A segment that owes nothing and is with the server has done its work. */
  #tidy(segment: Mutable): void {
    const { owed, epoch, to, brought } = segment;
    const from = Math.max(segment.from, (this.#acked.get(epoch) ?? -1) + 1);
    if (owed?.length === 0 && uncovered({ from, to }, brought).length === 0) this.#remove(segment);
  }

  #remove(segment: Mutable): void {
    if (this.#writing?.segment === segment) this.#seal();
    this.#segments = this.#segments.filter((each) => each !== segment);
    this.#then(async () => {
      await (await this.#folder)?.remove(segment.name);
      // There is room again.
      if (this.#trouble === 'full') this.#trouble = null;
    });
  }

  /** Nothing is kept until there is room again, if ever; what was not written is not here. */
  #fail(trouble: SpoolTrouble): void {
    this.#trouble ??= trouble;
    this.#seal();
    for (const segment of this.#segments) {
      const { written, to } = segment;
      if (written === to) continue;
      const gone = { from: written, to };
      for (const range of segment.owed ?? []) this.#dropped += overlap(range, gone);
      segment.owed = (segment.owed ?? [])
        .map((range) => ({ from: range.from, to: Math.min(range.to, written) }))
        .filter(({ from, to: end }) => end > from);
      segment.to = written;
    }
    this.#segments = this.#segments.filter(({ from, to }) => to > from);
  }
}
