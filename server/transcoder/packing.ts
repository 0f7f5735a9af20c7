/**
 * Sound and what is made of it as plain bytes. Between parent and child objects cost more than the
 * relay does with all its frames: their properties are named anew in every message, both ways.
 */
import { type Samples, samples } from '../../shared/time.ts';
import type { Feed, LadderUnit, LowRateFrame, Outcome } from './messages.ts';
import type { Block } from './meters.ts';

const KINDS = ['frame', 'silence', 'discontinuity', 'end'] as const;
/** Bytes to begin with: a part of sound at the usual bitrates. */
const USUAL = 16_384;

/** Writes numbers and bytes, little-endian, one behind the other. */
class Writer {
  #bytes = new Uint8Array(USUAL);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  count(value: number): void {
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
  }

  number(value: number): void {
    const at = this.#take(8);
    this.#view.setFloat64(at, value, true);
  }

  data(value: Uint8Array): void {
    this.count(value.length);
    const at = this.#take(value.length);
    this.#bytes.set(value, at);
  }

  list<T>(values: readonly T[], write: (value: T) => void): void {
    this.count(values.length);
    for (const value of values) write(value);
  }

  /** Place of so many bytes, for which there is room then. */
  #take(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** Reads what a writer wrote. Throws a RangeError where there is less. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  count(): number {
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }

  number(): number {
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  time(): Samples {
    return samples(this.number());
  }

  /** A view, not a copy. */
  data(): Uint8Array {
    const length = this.count();
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new RangeError('A message is shorter than it says.');
    return this.#bytes.subarray(from, this.#at);
  }

  list<T>(read: () => T): T[] {
    const values: T[] = [];
    for (let left = this.count(); left > 0; left -= 1) values.push(read());
    return values;
  }
}

/** Packs pieces on their way to the child. */
export const packFeed = (pieces: readonly Feed[]): Uint8Array => {
  const to = new Writer();
  to.list(pieces, (piece) => {
    to.count(KINDS.indexOf(piece.kind));
    to.number(piece.at);
    to.count(piece.duration);
    if (piece.kind !== 'frame') return;
    to.count(piece.sequence);
    to.number(piece.timestamp);
    to.count(piece.epoch);
    to.data(piece.packet);
  });
  return to.bytes;
};

/** The pieces that were packed. */
export const unpackFeed = (bytes: Uint8Array): Feed[] => {
  const from = new Reader(bytes);
  return from.list((): Feed => {
    const kind = KINDS[from.count()] ?? 'end';
    const at = from.time();
    const duration = samples(from.count());
    if (kind !== 'frame') return { kind, at, duration };
    const sequence = from.count();
    const timestamp = from.time();
    const epoch = from.count();
    return { kind, at, duration, sequence, timestamp, epoch, packet: from.data() };
  });
};

/** Packs what the child made. */
export const packOutcome = ({ until, units, frames, blocks, corrupt }: Outcome): Uint8Array => {
  const to = new Writer();
  to.number(until);
  to.list(units, ({ at, bytes }) => {
    to.number(at);
    to.list(bytes, (one) => to.data(one));
  });
  to.list(frames, (frame) => {
    to.number(frame.at);
    to.count(frame.rendition);
    to.count(frame.sequence);
    to.number(frame.timestamp);
    to.count(frame.epoch);
    to.count(frame.duration);
    to.data(frame.packet);
  });
  to.list(blocks, ({ at, power, peak }) => {
    to.number(at);
    to.number(power);
    to.number(peak);
  });
  to.list(corrupt, (at) => to.number(at));
  return to.bytes;
};

/** What was packed; units and packets are views of the same bytes. */
export const unpackOutcome = (packed: Uint8Array): Outcome => {
  const from = new Reader(packed);
  const until = from.time();
  const units = from.list((): LadderUnit => {
    const at = from.time();
    return { at, bytes: from.list(() => from.data()) };
  });
  const frames = from.list((): LowRateFrame => {
    const at = from.time();
    const [rendition, sequence] = [from.count(), from.count()];
    const timestamp = from.time();
    const [epoch, duration] = [from.count(), samples(from.count())];
    return { at, rendition, sequence, timestamp, epoch, duration, packet: from.data() };
  });
  const blocks = from.list((): Block => {
    const at = from.time();
    return { at, power: from.number(), peak: from.number() };
  });
  return { until, units, frames, blocks, corrupt: from.list(() => from.time()) };
};
