/** Where the bytes of segments and parts are, by their unguessable names. */
import type { SegmentHead } from './segmenter.ts';
import type { Part, Segment } from './track.ts';

/** Bytes, now or later; undefined when there are none under that name. */
export type Stored = Buffer | undefined | Promise<Buffer | undefined>;

/** Both forms of a complete segment. */
export type SegmentBytes = {
  /** fMP4: the concatenation of its parts, which are views on it. */
  readonly media: Buffer;
  /** MPEG-TS, of renditions that have it. */
  readonly ts: Buffer | null;
};

/** Keeps bytes until they are evicted. Buffers are never written to again. */
export interface SegmentStore {
  /** Adds the next part to a segment. */
  append(head: SegmentHead, part: Part): void;
  /** The segment has all its parts; the playlist now begins with sequence number `from`. */
  complete(segment: Segment, bytes: SegmentBytes, from: number): void;
  /** A part by its index in the segment. */
  part(name: string, index: number): Stored;
  /** A complete segment. */
  media(name: string): Stored;
  /** A complete segment as MPEG-TS. */
  ts(name: string): Stored;
  /** Whether a segment's bytes could not be kept: no playlist may name it any longer. */
  lost(name: string): boolean;
  evict(name: string): void;
}

type Entry = { parts: readonly Part[]; bytes: SegmentBytes | undefined };

/** Keeps everything in memory. A segment and its parts share their bytes. */
export class MemoryStore implements SegmentStore {
  readonly #entries = new Map<string, Entry>();

  /** Segments kept, complete or not. */
  get size(): number {
    return this.#entries.size;
  }

  /** Bytes kept. */
  get bytes(): number {
    let sum = 0;
    for (const { parts, bytes } of this.#entries.values())
      sum += parts.reduce((all, part) => all + part.bytes.length, 0) + (bytes?.ts?.length ?? 0);
    return sum;
  }

  append({ name }: SegmentHead, part: Part): void {
    const parts = this.#entries.get(name)?.parts ?? [];
    this.#entries.set(name, { parts: [...parts, part], bytes: undefined });
  }

  complete(segment: Segment, bytes: SegmentBytes): void {
    this.#entries.set(segment.name, { parts: segment.parts, bytes });
  }

  part(name: string, index: number): Buffer | undefined {
    return this.#entries.get(name)?.parts[index]?.bytes;
  }

  media(name: string): Buffer | undefined {
    return this.#entries.get(name)?.bytes?.media;
  }

  ts(name: string): Buffer | undefined {
    return this.#entries.get(name)?.bytes?.ts ?? undefined;
  }

  lost(): boolean {
    return false;
  }

  evict(name: string): void {
    this.#entries.delete(name);
  }
}
