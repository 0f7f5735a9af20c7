/**
 * The segments of one rendition that a playlist lists, and for how long their bytes outlive that
 * (RFC 8216 section 6.2.2; draft-pantos-hls-rfc8216bis sections 4.4.4.9 and 6.2.2).
 */
import { SAMPLE_RATE, type Samples, samples, type Utc } from '../../shared/time.ts';
import { bytesOf, durationOf, targetDuration } from './hls-bitrates.ts';
import { MemoryStore, type SegmentStore } from './segment-store.ts';
import type { SegmentHead, SegmentTarget } from './segmenter.ts';
import type { Grid, Part, Segment } from './track.ts';

/** Complete segments that a playlist never goes below. */
export const SEGMENTS_LEAST = 6;
/** Listeners that may wait for a part at a time. */
export const WAITING_MOST = 10_000;
/** Parts are listed in segments so many target durations from the end. */
const PARTS_LISTED = 3;

export type WindowOptions = {
  readonly grid: Grid;
  /** Sound that stays listed, if complete: SKYWAVE_WINDOW. */
  readonly duration: Samples;
  readonly store?: SegmentStore;
  /** What was listed before a restart, the last perhaps not complete; its bytes are in the store. */
  readonly listed?: readonly Segment[];
  /** Names of what was listed earlier and is still in the store. */
  readonly retired?: readonly string[];
};

type Retired = { readonly name: string; readonly until: Samples };

const total = (segments: readonly Segment[]): number =>
  segments.reduce((sum, segment) => sum + durationOf(segment), 0);

/** The window of one rendition. What its getters return is never changed afterwards. */
export class Window implements SegmentTarget {
  readonly store: SegmentStore;
  readonly #grid: Grid;
  readonly #duration: Samples;
  readonly #listeners = new Set<() => void>();
  #listed: readonly Segment[];
  /** Opened, without a part yet. */
  #opened: SegmentHead | undefined;
  #retired: Retired[] = [];
  #ended = false;
  #refused = 0;

  constructor(options: WindowOptions) {
    const { grid, duration, store = new MemoryStore(), listed = [], retired = [] } = options;
    this.#grid = grid;
    this.#duration = duration;
    this.store = store;
    this.#listed = listed;
    this.#retired = retired.map((name) => ({ name, until: this.#availableUntil() }));
  }

  /** What a playlist lists, oldest first; the last may be growing and has a part at least. */
  get segments(): readonly Segment[] {
    return this.#listed;
  }

  /** Nothing will be added. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Seconds, whole: EXT-X-TARGETDURATION. */
  get targetDuration(): number {
    return targetDuration(this.#grid);
  }

  /** Media sequence of the first segment whose parts are listed one by one. */
  get partsFrom(): number {
    const edge = this.#edge() - PARTS_LISTED * this.targetDuration * SAMPLE_RATE;
    const first = this.#listed.find((segment) => segment.at + durationOf(segment) >= edge);
    return first?.sequence ?? 0;
  }

  /** The part that comes next: where to hint at, and what to wait for. */
  get hint(): { readonly sequence: number; readonly name: string; readonly index: number } | null {
    const newest = this.#listed.at(-1);
    if (newest !== undefined && !newest.complete)
      return { sequence: newest.sequence, name: newest.name, index: newest.parts.length };
    if (this.#opened === undefined) return null;
    return { sequence: this.#opened.sequence, name: this.#opened.name, index: 0 };
  }

  /** Listeners that were refused because too many wait. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Whether the playlist has come to a segment, or to a part of it: `_HLS_msn`, `_HLS_part`. A part
   * beyond a segment's last means the first of the next. An ended window has come to everything.
   */
  reached(sequence: number, part: number | null): boolean {
    const newest = this.#listed.at(-1);
    if (this.#ended) return true;
    if (newest === undefined || newest.sequence < sequence) return false;
    // The next segment is listed with its first part, so a part beyond the last is there, too.
    if (newest.sequence > sequence) return true;
    return part === null ? newest.complete : part < newest.parts.length;
  }

  /**
   * Calls back after every part, complete segment and the end, until the returned function is
   * called; null when 10,000 do so already.
   */
  onPart(listener: () => void): (() => void) | null {
    if (this.#listeners.size >= WAITING_MOST) {
      this.#refused += 1;
      return null;
    }
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  open(head: SegmentHead): void {
    const newest = this.#listed.at(-1);
    // A playlist numbers its segments without gaps; after one, it begins anew.
    if (newest !== undefined && head.sequence !== newest.sequence + 1) this.#retire(this.#listed);
    this.#opened = head;
  }

  append(part: Part): void {
    const head = this.#opened ?? this.#listed.at(-1);
    if (head === undefined) return;
    this.store.append(head, part);
    if (this.#opened !== undefined)
      this.#listed = [...this.#listed, { ...this.#opened, parts: [part], complete: false }];
    else this.#replaceNewest((newest) => ({ ...newest, parts: [...newest.parts, part] }));
    this.#opened = undefined;
    this.#tell();
  }

  complete({ utc, ts }: { readonly utc: Utc; readonly ts: Buffer | null }): void {
    const growing = this.#listed.at(-1);
    if (this.#opened !== undefined || growing === undefined || growing.complete) {
      this.#opened = undefined;
      return;
    }
    const media = Buffer.concat(growing.parts.map((part) => part.bytes));
    const parts = viewsOn(media, growing.parts);
    const length = ts === null ? {} : { tsBytes: ts.length };
    const segment = { ...growing, utc, parts, complete: true, ...length };
    this.#replaceNewest(() => segment);
    this.#slide();
    this.store.complete(segment, { media, ts }, this.#listed[0]?.sequence ?? segment.sequence);
    this.#dropLost();
    this.#fold();
    this.#evict();
    this.#tell();
  }

  /** The broadcast is over for good: EXT-X-ENDLIST. The segmenter has ended before. */
  end(): void {
    this.#ended = true;
    this.#opened = undefined;
    this.#tell();
  }

  #edge(): Samples {
    const newest = this.#listed.at(-1);
    return samples(newest === undefined ? 0 : newest.at + durationOf(newest));
  }

  #replaceNewest(change: (newest: Segment) => Segment): void {
    const newest = this.#listed.at(-1);
    if (newest !== undefined) this.#listed = this.#listed.with(-1, change(newest));
  }

  /** Lets go of the bytes of segments whose parts are not listed any more: the store has them. */
  #fold(): void {
    const young = this.#listed.findIndex(({ folded }) => folded === undefined);
    const from = this.partsFrom;
    for (let index = young; (this.#listed[index]?.sequence ?? from) < from; index += 1) {
      const segment = this.#listed[index] as Segment;
      const folded = { duration: durationOf(segment), bytes: bytesOf(segment) };
      this.#listed = this.#listed.with(index, { ...segment, parts: [], folded });
    }
  }

  /** A segment that could not be kept leaves the playlist early, and those before it with it. */
  #dropLost(): void {
    const lost = this.#listed.findLastIndex(({ name }) => this.store.lost(name));
    if (lost >= 0) this.#retire(this.#listed.slice(0, lost + 1));
  }

  /** Takes segments out of the playlist while what remains is long enough. */
  #slide(): void {
    let excess = total(this.#listed) - this.#duration;
    let count = 0;
    for (const segment of this.#listed) {
      excess -= durationOf(segment);
      if (excess < 0 || this.#listed.length - count <= SEGMENTS_LEAST) break;
      count += 1;
    }
    if (count > 0) this.#retire(this.#listed.slice(0, count));
  }

  /**
   * A segment stays available for its own duration and that of the longest playlist that had it;
   * here for two segments more, because time is read off the stream, which may come in bursts.
   */
  #retire(segments: readonly Segment[]): void {
    const until = this.#availableUntil();
    this.#retired.push(...segments.map(({ name }) => ({ name, until })));
    this.#listed = this.#listed.slice(segments.length);
  }

  #availableUntil(): Samples {
    return samples(this.#edge() + total(this.#listed) + 3 * this.#grid.segment);
  }

  #evict(): void {
    const edge = this.#edge();
    while (this.#retired[0] !== undefined && this.#retired[0].until <= edge)
      this.store.evict((this.#retired.shift() as Retired).name);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The same parts as views on the segment's bytes, so that nothing is in memory twice. */
const viewsOn = (media: Buffer, parts: readonly Part[]): readonly Part[] => {
  let offset = 0;
  return parts.map((part) => {
    const bytes = media.subarray(offset, offset + part.bytes.length);
    offset += part.bytes.length;
    return { ...part, bytes };
  });
};
