/**
 * The head of a progressive MP4 file (ISO/IEC 14496-12) with one AAC track: everything before the
 * access units, which follow it one behind the other. An edit list takes the encoder's beginning
 * away and ends the file at its last sample; chapters are Nero's `chpl`, which players agree on.
 */
import { SAMPLE_RATE, type Samples, samplesToMillis } from '../../shared/time.ts';
import { box, fullBox, u8, u16, u32 } from '../packager/fmp4-box.ts';
import {
  LANGUAGE_UNDETERMINED,
  sampleEntry,
  TRACK_ID,
  UNITY_MATRIX,
} from '../packager/fmp4-init.ts';
import type { Rendition } from '../packager/track.ts';
import type { Chapter } from './opus-headers.ts';

/** Samples in an AAC access unit. */
export const AAC_UNIT = 1024;

/** Units in a chunk: a second of sound. */
const CHUNK = 47;

/** A chapter list counts in a byte, and so does each of its names. */
const MOST_CHAPTERS = 255;
const MOST_NAME_BYTES = 255;

const TWO_TO_32 = 0x1_0000_0000;

/** Seconds from 1904, where the format's time begins, to 1970. */
const EPOCH_1904 = 2_082_844_800;

/** What a movie is made of. */
export type Movie = {
  readonly rendition: Rendition;
  /** Bytes of each access unit. */
  readonly sizes: ArrayLike<number>;
  /** Samples of the first units that are not to be heard. */
  readonly skip: Samples;
  /** Samples that are. */
  readonly duration: Samples;
  readonly chapters: readonly Chapter[];
  readonly title: string;
  /** ms since 1970. */
  readonly created: number;
};

const u64 = (...values: readonly number[]): Buffer =>
  u32(...values.flatMap((value) => [Math.floor(value / TWO_TO_32), value % TWO_TO_32]));

/** A full box of version 1: its times have 64 bits. */
const longBox = (type: string, flags: number, ...content: readonly Buffer[]): Buffer =>
  box(type, u8(1), u8(0, flags >> 8, flags & 255), ...content);

const utf8Within = (text: string, most: number): Buffer => {
  let kept = Buffer.from(text.toWellFormed());
  for (let from = text.length; kept.length > most; from -= 1)
    kept = Buffer.from(text.slice(0, from).toWellFormed());
  return kept;
};

const chapterList = (chapters: readonly Chapter[]): Buffer => {
  const listed = chapters.slice(0, MOST_CHAPTERS);
  const entries = listed.map(({ at, name }) => {
    const words = utf8Within(name, MOST_NAME_BYTES);
    // Units of 100 ns.
    return Buffer.concat([u64(Math.round(samplesToMillis(at) * 10_000)), u8(words.length), words]);
  });
  return longBox('chpl', 0, u32(0), u8(listed.length), ...entries);
};

/** All chapters with their whole names, in samples: a box of our own, which others pass over. */
const wholeChapterList = (chapters: readonly Chapter[]): Buffer =>
  box(
    'skyw',
    ...chapters.map(({ at, name }) => {
      const words = Buffer.from(name.toWellFormed());
      return Buffer.concat([u64(at), u16(words.length), words]);
    }),
  );

const titleOf = (title: string): Buffer => {
  const name = Buffer.from([0xa9, 0x6e, 0x61, 0x6d]).toString('latin1');
  const words = box('data', u32(1, 0), Buffer.from(title.toWellFormed()));
  const entry = Buffer.concat([u32(words.length + 8), Buffer.from(name, 'latin1'), words]);
  const reader = fullBox('hdlr', 0, u32(0), Buffer.from('mdirappl'), u32(0, 0), u8(0));
  return fullBox('meta', 0, reader, box('ilst', entry));
};

const sampleTable = ({ rendition, sizes }: Movie, mediaAt: number): Buffer => {
  const count = sizes.length;
  const chunks = Math.ceil(count / CHUNK);
  const whole = Math.floor(count / CHUNK);
  const rest = count % CHUNK;
  const runs = [...(whole > 0 ? [1, CHUNK, 1] : []), ...(rest > 0 ? [chunks, rest, 1] : [])];
  const table = Buffer.allocUnsafe(count * 4);
  const offsets = Buffer.allocUnsafe(chunks * 8);
  let at = mediaAt;
  for (let index = 0; index < count; index += 1) {
    const size = sizes[index] ?? 0;
    if (index % CHUNK === 0) offsets.writeBigUInt64BE(BigInt(at), (index / CHUNK) * 8);
    table.writeUInt32BE(size, index * 4);
    at += size;
  }
  return box(
    'stbl',
    fullBox('stsd', 0, u32(1), sampleEntry(rendition)),
    fullBox('stts', 0, u32(1, count, AAC_UNIT)),
    fullBox('stsc', 0, u32(runs.length / 3, ...runs)),
    fullBox('stsz', 0, u32(0, count), table),
    fullBox('co64', 0, u32(chunks), offsets),
  );
};

const movie = (options: Movie, mediaAt: number): Buffer => {
  const { duration, skip, sizes, created, chapters, title } = options;
  const made = Math.floor(created / 1000) + EPOCH_1904;
  return box(
    'moov',
    longBox(
      'mvhd',
      0,
      u64(made, made),
      u32(SAMPLE_RATE),
      u64(duration),
      u32(0x10000),
      u16(0x100, 0),
      u32(0, 0),
      UNITY_MATRIX,
      u32(0, 0, 0, 0, 0, 0, TRACK_ID + 1),
    ),
    box(
      'trak',
      longBox(
        'tkhd',
        7, // enabled, in movie, in preview
        u64(made, made),
        u32(TRACK_ID, 0),
        u64(duration),
        u32(0, 0),
        u16(0, 0, 0x100, 0), // layer, group, volume 1
        UNITY_MATRIX,
        u32(0, 0),
      ),
      box('edts', longBox('elst', 0, u32(1), u64(duration, skip), u16(1, 0))),
      box(
        'mdia',
        longBox(
          'mdhd',
          0,
          u64(made, made),
          u32(SAMPLE_RATE),
          u64(sizes.length * AAC_UNIT),
          u16(LANGUAGE_UNDETERMINED, 0),
        ),
        fullBox('hdlr', 0, u32(0), Buffer.from('soun'), u32(0, 0, 0), u8(0)),
        box(
          'minf',
          fullBox('smhd', 0, u32(0)),
          box('dinf', fullBox('dref', 0, u32(1), fullBox('url ', 1))),
          sampleTable(options, mediaAt),
        ),
      ),
    ),
    box('udta', chapterList(chapters), wholeChapterList(chapters), titleOf(title)),
  );
};

/** Everything before the access units: `ftyp`, `moov`, and the head of an `mdat` of 64 bits. */
export const movieHead = (options: Movie): Buffer => {
  const type = box('ftyp', Buffer.from('M4A '), u32(0), Buffer.from('M4A mp42isom'));
  // Where the units begin depends on the length of what says so, not on its content.
  const mediaAt = type.length + movie(options, 0).length + 16;
  let bytes = 16;
  for (let index = 0; index < options.sizes.length; index += 1) bytes += options.sizes[index] ?? 0;
  return Buffer.concat([type, movie(options, mediaAt), u32(1), Buffer.from('mdat'), u64(bytes)]);
};
