/**
 * A broadcast as one logical Ogg Opus stream (RFC 7845): every block of the journal is a few whole
 * pages, every hole is packets that ask the decoder to conceal it (section 4.1). How large these are
 * follows from the index, so any byte of the file can be asked for without reading what is before.
 */
import { SAMPLE_RATE, type Samples, samples } from '../../shared/time.ts';
import type { Block } from './blocks.ts';
import {
  EMPTY_FILL,
  filledWith,
  lacingOf,
  MOST_LACING,
  PAGE,
  PAGE_HEADER,
  pageOf,
} from './ogg-page.ts';
import type { OpusComments } from './opus-headers.ts';
import { opusHead, opusTags } from './opus-headers.ts';
import { codedDuration, type Timeline } from './timeline.ts';

/** Samples a decoder throws away at the beginning: libopus's delay at 48 kHz. */
export const PRE_SKIP = samples(312);

/** The longest packet, samples (RFC 6716 section 3.2.5, R5). */
const LONGEST_PACKET = 5760;

const STEREO = 4;
const CODE_3 = 3;

/** A page without sound of the journal's. */
type MadePage = {
  readonly kind: 'made';
  readonly type: number;
  readonly granule: number;
  readonly lacing: Uint8Array;
  readonly payload: Uint8Array;
  readonly bytes: number;
};

/** All pages of a block. */
type BlockPages = {
  readonly kind: 'block';
  readonly block: Block;
  /** Position of its first sample. */
  readonly at: number;
  readonly bytes: number;
};

/** Whole pages of the file, and the number of the first of them. */
type Part = (MadePage | BlockPages) & { readonly number: number };

/** What a view is made of. */
export type OggOptions = {
  /** Tells logical streams apart; the same for all views of a recording. */
  readonly serial: number;
  readonly comments: OpusComments;
  /** Whether nothing will be added: the last page says so then. */
  readonly final: boolean;
};

/** A packet over several pages, where it does not fit into one; none ends on another's page. */
const pagesOfPacket = (packet: Uint8Array, type: number): MadePage[] => {
  const lacing = lacingOf(packet.length);
  const pages: MadePage[] = [];
  for (let at = 0; at < lacing.length; at += MOST_LACING) {
    const own = lacing.subarray(at, at + MOST_LACING);
    const payload = packet.subarray(at * 255, (at + own.length) * 255);
    pages.push({
      kind: 'made',
      type: type | (at === 0 ? 0 : PAGE.continued),
      granule: own.at(-1) === 255 ? -1 : 0,
      lacing: own,
      payload,
      bytes: PAGE_HEADER + own.length + payload.length,
    });
  }
  return pages;
};

/** Pages of packets without sound, which a decoder conceals as it conceals lost ones. */
const pagesOfHole = (toc: number, from: number, length: Samples): MadePage[] => {
  const frame = codedDuration(toc);
  const most = Math.floor(LONGEST_PACKET / frame);
  // A page of at most a second, like those with sound: longer ones make players wait.
  const packets = Math.floor(SAMPLE_RATE / (most * frame));
  const pages: MadePage[] = [];
  let left = Math.round(length / frame);
  let granule = from;
  while (left > 0) {
    const counts: number[] = [];
    for (; left > 0 && counts.length < packets; left -= counts.at(-1) ?? 0)
      counts.push(Math.min(left, most));
    granule += counts.reduce((sum, count) => sum + count, 0) * frame;
    pages.push({
      kind: 'made',
      type: 0,
      granule,
      lacing: new Uint8Array(counts.length).fill(2),
      // Code 3, constant size, no padding: so many frames of no bytes.
      payload: Uint8Array.from(counts.flatMap((count) => [(toc & 0xfc) | CODE_3, count])),
      bytes: PAGE_HEADER + 3 * counts.length,
    });
  }
  return pages;
};

/** A block's packets, cut into its pages. */
const cutPages = (packets: readonly Uint8Array[], { pages, duration }: Block): Uint8Array[][] => {
  const cut: Uint8Array[][] = [];
  let fill = EMPTY_FILL;
  for (const packet of packets) {
    fill = filledWith(fill, packet.length, duration);
    if (fill.frames === 1) cut.push([]);
    cut.at(-1)?.push(packet);
  }
  if (cut.length !== pages) throw new Error('A block has not the pages that were counted.');
  return cut;
};

/** One state of a recording as a file. */
export class OggView {
  readonly #parts: readonly Part[];
  readonly #starts: Float64Array;
  readonly #options: OggOptions;

  constructor({ placed }: Timeline, options: OggOptions) {
    this.#options = options;
    const stereo = placed.some(({ block }) => (block.toc & STEREO) !== 0);
    const parts: Part[] = [];
    let number = 0;
    const add = (part: MadePage | BlockPages, pages: number): void => {
      parts.push({ ...part, number });
      number += pages;
    };
    const head = opusHead({ channels: stereo ? 2 : 1, preSkip: PRE_SKIP });
    for (const page of pagesOfPacket(head, PAGE.first)) add(page, 1);
    for (const page of pagesOfPacket(opusTags(options.comments), 0)) add(page, 1);
    let before: Block | undefined;
    for (const { block, at, hole } of placed) {
      if (hole > 0 && before !== undefined)
        for (const page of pagesOfHole(before.toc, at - hole, hole)) add(page, 1);
      const bytes = block.pages * PAGE_HEADER + block.lacing + block.payload;
      add({ kind: 'block', block, at, bytes }, block.pages);
      before = block;
    }
    this.#parts = parts;
    this.#starts = new Float64Array(parts.length + 1);
    for (const [index, { bytes }] of parts.entries())
      this.#starts[index + 1] = (this.#starts[index] ?? 0) + bytes;
  }

  /** Length of the file. */
  get bytes(): number {
    return this.#starts.at(-1) ?? 0;
  }

  /** Parts with bytes from `from` up to, not including, `to`. */
  *parts(from: number, to: number): Generator<{ index: number; start: number }> {
    let [low, high] = [0, this.#parts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle + 1] ?? 0) <= from) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < this.#parts.length; index += 1) {
      const start = this.#starts[index] ?? 0;
      if (start >= to) return;
      yield { index, start };
    }
  }

  /** The block whose packets a part needs; undefined for parts that need none. */
  blockOf(index: number): Block | undefined {
    const part = this.#parts[index];
    return part?.kind === 'block' ? part.block : undefined;
  }

  /** A part as bytes; `packets` are its block's. */
  part(index: number, packets: readonly Uint8Array[]): Buffer {
    const part = this.#parts[index];
    if (part === undefined) throw new RangeError(`There is no part ${index}.`);
    const { serial, final } = this.#options;
    const last = final && index === this.#parts.length - 1 ? PAGE.last : 0;
    const { number } = part;
    if (part.kind === 'made') {
      const { type, granule, lacing, payload } = part;
      return pageOf({ type: type | last, granule, serial, number, lacing }, payload);
    }
    const { block, at } = part;
    let granule = at;
    const pages = cutPages(packets, block).map((own, page) => {
      granule += own.length * block.duration;
      const type = page === block.pages - 1 ? last : 0;
      const lacing = Buffer.concat(own.map(({ length }) => lacingOf(length)));
      return pageOf({ type, granule, serial, number: number + page, lacing }, Buffer.concat(own));
    });
    return Buffer.concat(pages);
  }
}
