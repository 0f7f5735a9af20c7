/**
 * A broadcast as one logical Ogg Opus stream (RFC 7845): every block of the journal is one page,
 * every hole is packets that ask the decoder to conceal it (section 4.1). The sizes of all pages
 * follow from the index, so any byte of the file can be asked for without reading what is before.
 */
import { SAMPLE_RATE, type Samples, samples } from '../../shared/time.ts';
import type { Block, LacingPool } from './blocks.ts';
import { lacingOf, PAGE, PAGE_HEADER, pageOf } from './ogg-page.ts';
import type { OpusComments } from './opus-headers.ts';
import { opusHead, opusTags } from './opus-headers.ts';
import { codedDuration, type Timeline } from './timeline.ts';

/** Samples a decoder throws away at the beginning: libopus's delay at 48 kHz. */
export const PRE_SKIP = samples(312);

/** Segments a page can have. */
const MOST_LACING = 255;

/** The longest packet, samples (RFC 6716 section 3.2.5, R5). */
const LONGEST_PACKET = 5760;

const STEREO = 4;
const CODE_3 = 3;

type Page = {
  readonly granule: number;
  readonly bytes: number;
} & (
  | {
      readonly kind: 'made';
      readonly lacing: Uint8Array;
      readonly payload: Uint8Array;
      type: number;
    }
  | { readonly kind: 'block'; readonly block: Block }
);

/** What a view is made of. */
export type OggOptions = {
  /** Tells logical streams apart; the same for all views of a recording. */
  readonly serial: number;
  readonly comments: OpusComments;
  readonly lacing: LacingPool;
  /** Whether nothing will be added: the last page says so then. */
  readonly final: boolean;
};

/** A packet over several pages, where it does not fit into one; none ends on another's page. */
const pagesOfPacket = (packet: Uint8Array, type: number): Page[] => {
  const lacing = lacingOf(packet.length);
  const pages: Page[] = [];
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
const pagesOfHole = (toc: number, from: number, length: Samples): Page[] => {
  const frame = codedDuration(toc);
  const most = Math.floor(LONGEST_PACKET / frame);
  // A page of at most a second, like those with sound: longer ones make players wait.
  const packets = Math.floor(SAMPLE_RATE / (most * frame));
  const pages: Page[] = [];
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

/** One state of a recording as a file. */
export class OggView {
  readonly #pages: readonly Page[];
  readonly #starts: Float64Array;
  readonly #options: OggOptions;

  constructor({ placed }: Timeline, options: OggOptions) {
    this.#options = options;
    const stereo = placed.some(({ block }) => (block.toc & STEREO) !== 0);
    const pages = [
      ...pagesOfPacket(opusHead({ channels: stereo ? 2 : 1, preSkip: PRE_SKIP }), PAGE.first),
      ...pagesOfPacket(opusTags(options.comments), 0),
    ];
    let before: Block | undefined;
    for (const { block, at, hole } of placed) {
      if (hole > 0 && before !== undefined) pages.push(...pagesOfHole(before.toc, at - hole, hole));
      const granule = at + block.count * block.duration;
      const bytes = PAGE_HEADER + block.lacing + block.payload;
      pages.push({ kind: 'block', block, granule, bytes });
      before = block;
    }
    this.#pages = pages;
    this.#starts = new Float64Array(pages.length + 1);
    for (const [index, { bytes }] of pages.entries())
      this.#starts[index + 1] = (this.#starts[index] ?? 0) + bytes;
  }

  /** Length of the file. */
  get bytes(): number {
    return this.#starts.at(-1) ?? 0;
  }

  /** Pages with bytes from `from` up to, not including, `to`. */
  *pages(from: number, to: number): Generator<{ index: number; start: number }> {
    let [low, high] = [0, this.#pages.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle + 1] ?? 0) <= from) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < this.#pages.length; index += 1) {
      const start = this.#starts[index] ?? 0;
      if (start >= to) return;
      yield { index, start };
    }
  }

  /** The block whose packets a page needs; undefined for pages that need none. */
  blockOf(index: number): Block | undefined {
    const page = this.#pages[index];
    return page?.kind === 'block' ? page.block : undefined;
  }

  /** A page as bytes; `packets` are its block's, one behind the other. */
  page(index: number, packets: Uint8Array): Buffer {
    const page = this.#pages[index];
    if (page === undefined) throw new RangeError(`There is no page ${index}.`);
    const { serial, lacing, final } = this.#options;
    const last = final && index === this.#pages.length - 1 ? PAGE.last : 0;
    const { granule } = page;
    if (page.kind === 'block')
      return pageOf(
        { type: last, granule, serial, number: index, lacing: lacing.of(page.block) },
        packets,
      );
    return pageOf(
      { type: page.type | last, granule, serial, number: index, lacing: page.lacing },
      page.payload,
    );
  }
}
