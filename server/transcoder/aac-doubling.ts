/**
 * Makes stereo of an encoder's mono, without encoding anything twice: an access unit with a single
 * channel becomes one with a pair, in which the single channel is the sum of both and their difference
 * is nothing (ISO/IEC 14496-3, 4.4.2 and 4.6.8.1). What was encoded is moved by some bits and not
 * changed; a decoder that reckons in floats gives in either channel, to the bit, what it gave in the one.
 */
import { ESCAPES, type Lengths, MOST_LENGTH, SCALE_FACTORS, SPECTRAL } from './aac-codebooks.ts';

/** No channel may take more of a unit, bytes (4.5.3.1). */
const MOST_BYTES = 768;
/** What the second channel adds at most, bytes: its sections, and the filters of its noise. */
const MOST_ADDED = 128;
/** Bits are read and written up to so many at a time: they touch four bytes. */
const MOST_BITS = 24;
const WORD = 32;

/** Elements of a unit (4.5.2.1). */
const [SINGLE, PAIR, FILL, END] = [0, 1, 6, 7] as const;

/** Where the bands begin at 48 kHz, in a long window and in each of eight short ones. */
const LONG = [
  0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 88, 96, 108, 120, 132, 144, 160, 176,
  196, 216, 240, 264, 292, 320, 352, 384, 416, 448, 480, 512, 544, 576, 608, 640, 672, 704, 736,
  768, 800, 832, 864, 896, 928, 1024,
] as const;
const SHORT = [0, 4, 8, 12, 16, 20, 28, 36, 44, 56, 68, 80, 96, 112, 128] as const;
const EIGHT_SHORT = 2;
/** Bands of all groups at most: eight short windows, each a group. */
const MOST_BANDS = 8 * (SHORT.length - 1);

/** Bits that are walked through. */
class Reader {
  readonly #bytes = new Uint8Array(MOST_BYTES + WORD / 8);
  readonly #view = new DataView(this.#bytes.buffer);
  #end = 0;
  at = 0;

  begin(unit: Uint8Array): void {
    if (unit.length > MOST_BYTES) throw new RangeError(`A unit of ${unit.length} bytes.`);
    this.#bytes.set(unit);
    this.#bytes.fill(0, unit.length);
    this.#end = 8 * unit.length;
    this.at = 0;
  }

  /** The 1 to 24 bits from a position on. */
  peek(count: number, at: number): number {
    return (this.#view.getUint32(at >>> 3) << (at & 7)) >>> (WORD - count);
  }

  take(count: number): number {
    const value = this.peek(count, this.at);
    this.skip(count);
    return value;
  }

  /** Throws a RangeError when that is more than there is. */
  skip(count: number): void {
    this.at += count;
    if (this.at > this.#end) throw new RangeError('A unit of AAC ends too early.');
  }

  /** Skips so many codewords of one book; most of a unit is that. */
  codewords(count: number, { longest, table }: Lengths): void {
    const view = this.#view;
    const unused = WORD - longest;
    let at = this.at;
    for (let left = count; left > 0; left -= 1) {
      const entry = table[(view.getUint32(at >>> 3) << (at & 7)) >>> unused] as number;
      at += entry & MOST_LENGTH;
      if (entry > MOST_LENGTH) at = this.#escapes(entry >>> ESCAPES, at);
    }
    this.skip(at - this.at);
  }

  /** An escape is so many ones, a zero, and as many bits and four. */
  #escapes(count: number, from: number): number {
    this.at = from;
    for (let left = count; left > 0; left -= 1) {
      let ones = 0;
      while (this.take(1) === 1) ones += 1;
      this.skip(ones + 4);
    }
    return this.at;
  }
}

/** Bits that are put together. */
class Writer {
  readonly #bytes = new Uint8Array(MOST_BYTES + MOST_ADDED);
  readonly #view = new DataView(this.#bytes.buffer);
  #at = 0;

  begin(): void {
    this.#bytes.fill(0);
    this.#at = 0;
  }

  /** Appends 1 to 24 bits. */
  put(value: number, count: number): void {
    const byte = this.#at >>> 3;
    const word = this.#view.getUint32(byte) | (value << (WORD - count - (this.#at & 7)));
    this.#view.setUint32(byte, word);
    this.#at += count;
  }

  copy(reader: Reader, from: number, to: number): void {
    for (let at = from; at < to; at += MOST_BITS) {
      const count = Math.min(MOST_BITS, to - at);
      this.put(reader.peek(count, at), count);
    }
  }

  /** What was put together, up to a whole byte. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, (this.#at + 7) >>> 3);
  }
}

/** How a channel's lines are divided: what both channels of a pair may share. */
type Windows = {
  short: boolean;
  /** Bands of a group that hold anything. */
  bands: number;
  groups: number;
  /** Windows in each group; one of one when the window is long. */
  readonly sizes: Uint8Array;
  /** The codebook of each band, group after group. */
  readonly books: Uint8Array;
};

const takeWindows = (reader: Reader, windows: Windows): void => {
  reader.skip(1);
  windows.short = reader.take(2) === EIGHT_SHORT;
  reader.skip(1);
  windows.bands = reader.take(windows.short ? 4 : 6);
  windows.groups = 1;
  windows.sizes.fill(1);
  if (windows.bands >= (windows.short ? SHORT : LONG).length)
    throw new RangeError(`A unit of ${windows.bands} bands.`);
  if (!windows.short) {
    if (reader.take(1) === 1) throw new RangeError('AAC-LC does not predict.');
    return;
  }
  for (let window = 1; window < 8; window += 1)
    if (reader.take(1) === 1) windows.sizes[windows.groups - 1]! += 1;
    else windows.groups += 1;
};

/** Bits of a section's length, and the greatest, which says that more follows. */
const lengthBits = ({ short }: Windows): number => (short ? 3 : 5);

const takeSections = (reader: Reader, windows: Windows): void => {
  const { bands, groups, books } = windows;
  const bits = lengthBits(windows);
  const more = (1 << bits) - 1;
  let at = 0;
  for (let end = bands; end <= groups * bands && bands > 0; end += bands)
    while (at < end) {
      const book = reader.take(4);
      if (book > SPECTRAL.length) throw new RangeError(`Codebook ${book} is none of one channel.`);
      let part = reader.take(bits);
      let next = at + part;
      for (; part === more; next += part) part = reader.take(bits);
      if (next > end) throw new RangeError('A section goes beyond the bands.');
      books.fill(book, at, next);
      at = next;
    }
};

const skipScaleFactors = (reader: Reader, { bands, groups, books }: Windows): void => {
  let coded = 0;
  for (let index = 0; index < groups * bands; index += 1) if (books[index] !== 0) coded += 1;
  reader.codewords(coded, SCALE_FACTORS);
};

const skipPulses = (reader: Reader): void => {
  if (reader.take(1) === 0) return;
  const count = reader.take(2) + 1;
  reader.skip(6 + 9 * count);
};

/** Filters that shape the noise in time (4.4.2.7, tns_data). */
const skipNoiseShaping = (reader: Reader, { short }: Windows): void => {
  if (reader.take(1) === 0) return;
  for (let window = 0; window < (short ? 8 : 1); window += 1) {
    const filters = reader.take(short ? 1 : 2);
    const fine = filters > 0 ? reader.take(1) : 0;
    for (let filter = 0; filter < filters; filter += 1) {
      reader.skip(short ? 4 : 6);
      const order = reader.take(short ? 3 : 5);
      if (order === 0) continue;
      reader.skip(1);
      const compressed = reader.take(1);
      reader.skip(order * (3 + fine - compressed));
    }
  }
};

const skipSpectrum = (reader: Reader, { short, bands, groups, sizes, books }: Windows): void => {
  const edges = short ? SHORT : LONG;
  for (let group = 0; group < groups; group += 1)
    for (let band = 0; band < bands; band += 1) {
      const book = books[group * bands + band] as number;
      if (book === 0) continue;
      const width = (edges[band + 1] as number) - (edges[band] as number);
      const lines = width * (sizes[group] as number);
      reader.codewords(lines / (book < 5 ? 4 : 2), SPECTRAL[book - 1] as Lengths);
    }
};

const skipFill = (reader: Reader): void => {
  for (let element = reader.take(3); element !== END; element = reader.take(3)) {
    if (element !== FILL) throw new RangeError(`A unit with an element ${element}.`);
    const count = reader.take(4);
    reader.skip(8 * (count === 15 ? count + reader.take(8) - 1 : count));
  }
};

/** Sections in which there is nothing. */
const putNothing = (writer: Writer, windows: Windows): void => {
  const bits = lengthBits(windows);
  const more = (1 << bits) - 1;
  for (let group = 0; group < windows.groups && windows.bands > 0; group += 1) {
    writer.put(0, 4);
    let left = windows.bands;
    for (; left >= more; left -= more) writer.put(more, bits);
    writer.put(left, bits);
  }
};

// One unit after the other: they share their memory.
const reader = new Reader();
const writer = new Writer();
const windows: Windows = {
  short: false,
  bands: 0,
  groups: 0,
  sizes: new Uint8Array(8),
  books: new Uint8Array(MOST_BANDS),
};

/**
 * Takes an access unit of AAC-LC at 48 kHz with one channel, returns one with two that are alike.
 * Throws a RangeError for anything else: what encoders use at low rates only (noise substitution) too.
 */
export const doubled = (unit: Uint8Array): Uint8Array => {
  reader.begin(unit);
  if (reader.take(3) !== SINGLE) throw new RangeError('A unit that is not of one channel.');
  const tag = reader.take(4);
  const gain = reader.take(8);
  const windowsAt = reader.at;
  takeWindows(reader, windows);
  const sectionsAt = reader.at;
  takeSections(reader, windows);
  skipScaleFactors(reader, windows);
  skipPulses(reader);
  const shapingAt = reader.at;
  skipNoiseShaping(reader, windows);
  const shaped = reader.at;
  if (reader.take(1) === 1) throw new RangeError('AAC-LC has no gain control.');
  skipSpectrum(reader, windows);
  const ended = reader.at;
  skipFill(reader);

  writer.begin();
  writer.put(PAIR, 3);
  writer.put(tag, 4);
  // Both channels have the same windows, and in every band they are sum and difference.
  writer.put(1, 1);
  writer.copy(reader, windowsAt, sectionsAt);
  writer.put(2, 2);
  writer.put(gain, 8);
  writer.copy(reader, sectionsAt, ended);
  // The difference has neither lines nor pulses. Its noise is shaped after it was taken off the sum.
  writer.put(gain, 8);
  putNothing(writer, windows);
  writer.put(0, 1);
  writer.copy(reader, shapingAt, shaped);
  writer.put(0, 1);
  writer.copy(reader, ended, reader.at);
  return writer.finish();
};
