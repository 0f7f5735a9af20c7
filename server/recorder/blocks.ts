/**
 * The sparse index of a journal. A block is consecutive frames that lie one behind the other in the
 * file, and becomes a few whole Ogg pages; the index knows how large these are, and the records
 * themselves tell the rest. An hour of sound has 720 blocks, so it may grow for as long as a
 * broadcast does.
 *
 * The blocks follow from the records and their order alone: reading a journal again gives the same.
 */
import type { FrameId } from '../../shared/control.ts';
import { FLAG, type Frame } from '../../shared/frame.ts';
import { type Samples, samples } from '../../shared/time.ts';
import { RECORD_HEADER } from './journal-record.ts';
import { EMPTY_FILL, filledWith, fits, lacingCount, type PageFill } from './ogg-page.ts';

/** Pages of a block, each of a second at most. */
const MOST_PAGES = 5;

/** Blocks put between others: each is a piece that came late. Who sends splinters is refused. */
const MOST_INSERTED = 50_000;

/** Consecutive frames of one epoch. */
export type Block = {
  readonly epoch: number;
  /** Of the first frame. */
  readonly sequence: number;
  readonly timestamp: Samples;
  /** Of each frame. */
  readonly duration: Samples;
  readonly count: number;
  /** Place of the records in the file. */
  readonly offset: number;
  readonly bytes: number;
  /** Bytes of all packets. */
  readonly payload: number;
  /** Its Ogg pages, and the lacing values of all of them. */
  readonly pages: number;
  readonly lacing: number;
  /** First byte of the last packet. */
  readonly toc: number;
  /** Whether silence that is not sent may follow the last frame. */
  readonly dtx: boolean;
};

type Growing = { -readonly [Field in keyof Block]: Block[Field] };

/** The block at whose end the next frame may go, and how full its last page is. */
type Open = { readonly block: Growing; fill: PageFill };

/** A state of the index, to come back to or to look at while it grows. */
export type Mark = {
  /** File position after the last record. */
  readonly end: number;
  readonly open: { readonly block: Block; readonly fill: PageFill } | undefined;
};

/** What became of a frame that was entered. */
export type Entry = 'entered' | 'repeated' | 'misfit' | 'splintered';

/** Timestamp after a block's last sample. */
export const blockEnd = (block: Block): Samples =>
  samples(block.timestamp + block.count * block.duration);

/** Epochs in the order they were given out; the numbers begin again after 65,535. */
const inOrder = (epochs: Iterable<number>): number[] => {
  const all = [...epochs];
  const wrapped = Math.max(...all) - Math.min(...all) > 0x8000;
  const rank = (epoch: number): number => (wrapped && epoch < 0x8000 ? epoch + 0x1_0000 : epoch);
  return all.sort((a, b) => rank(a) - rank(b));
};

/** A block as it was at a mark; undefined when it began later. */
const durableOf = (block: Block, { end, open }: Mark): Block | undefined => {
  if (block.offset >= end) return undefined;
  return block.offset === open?.block.offset ? open.block : block;
};

const copyOf = ({ block, fill }: NonNullable<Mark['open']>): Open => ({
  block: { ...block },
  fill,
});

const lastOf = ({ sequence, count }: Block): number => sequence + count - 1;

/** The index of one journal. */
export class BlockIndex {
  readonly #epochs = new Map<number, Growing[]>();
  #open: Open | undefined;
  #end = 0;
  #inserted = 0;

  /** The state as it is now. */
  mark(): Mark {
    return { end: this.#end, open: this.#open && copyOf(this.#open) };
  }

  /** The epoch given out first of all that are there. */
  get firstEpoch(): number {
    return inOrder(this.#epochs.keys())[0] ?? 0;
  }

  /** First sequence after all that is there of an epoch; undefined when nothing is. */
  next(epoch: number): number | undefined {
    const last = this.#epochs.get(epoch)?.at(-1);
    return last && last.sequence + last.count;
  }

  /**
   * Enters a frame whose record begins at `offset`, unless it is there, or does not fit between
   * its neighbours: the timestamp advances with the sequence, at least.
   */
  enter(frame: Frame, offset: number): Entry {
    const blocks = this.#epochs.get(frame.epoch) ?? [];
    const at = this.#after(blocks, frame.sequence);
    const [before, behind] = [blocks[at - 1], blocks[at]];
    if (before !== undefined && frame.sequence < before.sequence + before.count) return 'repeated';
    if (!this.#fits(frame, before, behind)) return 'misfit';
    const open = this.#open;
    if (before !== undefined && before === open?.block && goesOn(open, frame, offset))
      grow(open, frame);
    else {
      if (behind !== undefined) {
        if (this.#inserted >= MOST_INSERTED) return 'splintered';
        this.#inserted += 1;
      }
      this.#open = begin(frame, offset);
      this.#epochs.set(frame.epoch, blocks);
      blocks.splice(at, 0, this.#open.block);
    }
    this.#end = offset + RECORD_HEADER + frame.bytes.length;
    return 'entered';
  }

  /** All blocks as they were at a mark, by epoch and sequence. */
  until(mark: Mark): Block[] {
    return inOrder(this.#epochs.keys()).flatMap((epoch) =>
      (this.#epochs.get(epoch) ?? []).flatMap((block) => durableOf(block, mark) ?? []),
    );
  }

  /** Blocks as they were at a mark from the one of a frame on, or the next that there is. */
  *from({ epoch, sequence }: FrameId, mark: Mark): Generator<Block> {
    const epochs = inOrder(new Set([...this.#epochs.keys(), epoch]));
    for (const later of epochs.slice(epochs.indexOf(epoch))) {
      const blocks = this.#epochs.get(later) ?? [];
      const first = later === epoch ? Math.max(0, this.#after(blocks, sequence) - 1) : 0;
      for (let at = first; at < blocks.length; at += 1) {
        const block = durableOf(blocks[at] as Block, mark);
        const over = later === epoch && block !== undefined && lastOf(block) < sequence;
        if (block !== undefined && !over) yield block;
      }
    }
  }

  /** Blocks as they were at a mark, the newest first. */
  *backwards(mark: Mark): Generator<Block> {
    for (const epoch of inOrder(this.#epochs.keys()).reverse()) {
      const blocks = this.#epochs.get(epoch) ?? [];
      for (let at = blocks.length - 1; at >= 0; at -= 1) {
        const block = durableOf(blocks[at] as Block, mark);
        if (block !== undefined) yield block;
      }
    }
  }

  /** Forgets what was entered after a mark, because it could not be written. */
  rollBack(mark: Mark): void {
    this.#open = mark.open && copyOf(mark.open);
    this.#end = mark.end;
    for (const [epoch, blocks] of this.#epochs) {
      const kept = blocks.filter(({ offset }) => offset < mark.end);
      const at = kept.findIndex(({ offset }) => offset === this.#open?.block.offset);
      if (at >= 0 && this.#open !== undefined) kept[at] = this.#open.block;
      if (kept.length === 0) this.#epochs.delete(epoch);
      else this.#epochs.set(epoch, kept);
    }
  }

  /** Index of the first block that begins after a sequence. */
  #after(blocks: readonly Block[], sequence: number): number {
    let [low, high] = [0, blocks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((blocks[middle]?.sequence ?? 0) <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #fits(frame: Frame, before: Block | undefined, behind: Block | undefined): boolean {
    const { duration, sequence, timestamp } = frame;
    if ((before ?? behind ?? frame).duration !== duration) return false;
    if (before !== undefined) {
      const lost = sequence - before.sequence - before.count;
      if (timestamp < blockEnd(before) + lost * duration) return false;
    }
    if (behind === undefined) return true;
    return timestamp + (behind.sequence - sequence) * duration <= behind.timestamp;
  }
}

/** Whether a frame is the next of a block, in time and in the file, and there is room for it. */
const goesOn = (
  { block, fill }: Open,
  { sequence, timestamp, packet }: Frame,
  offset: number,
): boolean =>
  offset === block.offset + block.bytes &&
  sequence === block.sequence + block.count &&
  timestamp === blockEnd(block) &&
  (block.pages < MOST_PAGES || fits(fill, packet.length, block.duration));

const begin = (frame: Frame, offset: number): Open => {
  const { epoch, sequence, timestamp, duration } = frame;
  const block: Growing = {
    ...{ epoch, sequence, timestamp, duration, offset },
    ...{ count: 0, bytes: 0, payload: 0, pages: 0, lacing: 0, toc: 0, dtx: false },
  };
  const open = { block, fill: EMPTY_FILL };
  grow(open, frame);
  return open;
};

const grow = (open: Open, { packet, bytes, flags, duration }: Frame): void => {
  const { block, fill } = open;
  open.fill = filledWith(fill, packet.length, duration);
  if (open.fill.frames === 1) block.pages += 1;
  block.count += 1;
  block.bytes += RECORD_HEADER + bytes.length;
  block.payload += packet.length;
  block.lacing += lacingCount(packet.length);
  block.toc = packet[0] ?? 0;
  block.dtx = (flags & FLAG.dtx) !== 0;
};
