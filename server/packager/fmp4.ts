/**
 * Parts of fragmented MP4: CMAF chunks of one audio track (ISO/IEC 23000-19 section 7.3.2), each a
 * fragment of its own in 48 kHz track time. A segment is the concatenation of its parts.
 */
import { SAMPLE_RATE, type Utc } from '../../shared/time.ts';
import { BOX_HEADER_BYTES, BoxWriter, box } from './fmp4-box.ts';
import { TRACK_ID } from './fmp4-init.ts';
import { id3Tag } from './id3.ts';
import type { AccessUnit, TimedMetadata } from './track.ts';

export { codecOf, initSegment } from './fmp4-init.ts';

/** What one part consists of. */
export type PartContent = {
  /** Number of the fragment (`mfhd`); grows from part to part, kept modulo 2^32. */
  readonly sequence: number;
  /** At least one; each begins where the one before ended. */
  readonly units: readonly AccessUnit[];
  /** Titles that begin within the part. */
  readonly metadata?: readonly TimedMetadata[];
  /** UTC of capture of the first unit; writes a `prft`. */
  readonly producerTime?: { readonly utc: Utc };
  /** The part is the first of a segment, which then begins with `styp`. */
  readonly beginsSegment?: boolean;
};

const TWO_TO_32 = 0x1_0000_0000;
/** Seconds from 1900, where NTP counts from, to 1970. */
const NTP_OFFSET = 2_208_988_800;
const PRODUCER_TIME_BYTES = 32;
/** `prft` flags: the UTC is that of capture. */
const CAPTURED = 24;
const ID3_SCHEME = Buffer.from('https://aomedia.org/emsg/ID3\0\0'); // and an empty value
/** Box, version and flags, timescale, time, duration, id. */
const EVENT_FIELDS_BYTES = 32;
/** It holds until the next one. */
const DURATION_UNKNOWN = 0xffff_ffff;

const VERSION_1 = 0x0100_0000;
/** Flags of `tfhd`: default duration, default size, offsets count from the start of `moof`. */
const HEADER_FLAG = { duration: 0x8, size: 0x10, defaultBaseIsMoof: 0x2_0000 };
/** Flags of `trun`: where the content begins, a duration each, a size each. */
const RUN_FLAG = { dataOffset: 0x1, duration: 0x100, size: 0x200 };
/** `moof`, `mfhd`, `traf` and `tfdt`: all but `tfhd` and `trun`. */
const MOVIE_FRAGMENT_BYTES = 8 + 16 + 8 + 20;

/** Says that a DASH and CMAF media segment begins here; players do not need it, validators do. */
const SEGMENT_TYPE = box('styp', Buffer.from('msdh\0\0\0\0msdhcmfs'));

/** Producer reference time, version 1 (ISO/IEC 14496-12 section 8.16.5). */
const writeProducerTime = (writer: BoxWriter, utc: Utc, trackTime: number): void => {
  const seconds = Math.floor(utc / 1000);
  const fraction = Math.floor(((utc - seconds * 1000) / 1000) * TWO_TO_32);
  writer
    .begin('prft', PRODUCER_TIME_BYTES)
    .u32(VERSION_1 + CAPTURED)
    .u32(TRACK_ID);
  writer
    .u32((seconds + NTP_OFFSET) % TWO_TO_32)
    .u32(fraction)
    .u64(trackTime);
};

const eventBytes = (tag: Buffer): number => EVENT_FIELDS_BYTES + ID3_SCHEME.length + tag.length;

/**
 * An event message, version 1, with an ID3 tag (AOM, Carriage of ID3 Timed Metadata in CMAF,
 * section 2.2). Its id is its track time modulo 2^32, so a repeated title keeps its id.
 */
const writeEvent = (writer: BoxWriter, at: number, tag: Buffer): void => {
  writer.begin('emsg', eventBytes(tag)).u32(VERSION_1);
  writer
    .u32(SAMPLE_RATE)
    .u64(at)
    .u32(DURATION_UNKNOWN)
    .u32(at % TWO_TO_32);
  writer.copy(ID3_SCHEME).copy(tag);
};

/** What `tfhd` says once because all samples are alike, and what `trun` says of each. */
type RunLayout = {
  readonly oneDuration: boolean;
  readonly oneSize: boolean;
  readonly headerBytes: number;
  readonly runBytes: number;
};

const runLayout = (first: AccessUnit, units: readonly AccessUnit[]): RunLayout => {
  const oneDuration = units.every(({ duration }) => duration === first.duration);
  const oneSize = units.every(({ bytes }) => bytes.length === first.bytes.length);
  const defaults = Number(oneDuration) + Number(oneSize);
  const headerBytes = 16 + defaults * 4;
  return { oneDuration, oneSize, headerBytes, runBytes: 20 + units.length * (2 - defaults) * 4 };
};

const fragmentBytes = ({ headerBytes, runBytes }: RunLayout): number =>
  MOVIE_FRAGMENT_BYTES + headerBytes + runBytes;

/** `moof` with its one track fragment; the content begins right after the header of `mdat`. */
const writeFragment = (
  writer: BoxWriter,
  { sequence, units }: PartContent,
  layout: RunLayout,
): void => {
  const [first] = units as readonly [AccessUnit];
  const { oneDuration, oneSize, headerBytes, runBytes } = layout;
  const length = fragmentBytes(layout);
  writer.begin('moof', length);
  writer
    .begin('mfhd', 16)
    .u32(0)
    .u32(sequence % TWO_TO_32);
  writer.begin('traf', length - 24);
  writer.begin('tfhd', headerBytes);
  writer.u32(
    HEADER_FLAG.defaultBaseIsMoof +
      (oneDuration ? HEADER_FLAG.duration : 0) +
      (oneSize ? HEADER_FLAG.size : 0),
  );
  writer.u32(TRACK_ID);
  if (oneDuration) writer.u32(first.duration);
  if (oneSize) writer.u32(first.bytes.length);
  writer.begin('tfdt', 20).u32(VERSION_1).u64(first.at);
  writer.begin('trun', runBytes);
  writer.u32(
    RUN_FLAG.dataOffset + (oneDuration ? 0 : RUN_FLAG.duration) + (oneSize ? 0 : RUN_FLAG.size),
  );
  writer.u32(units.length).u32(length + BOX_HEADER_BYTES);
  for (const { duration, bytes } of units) {
    if (!oneDuration) writer.u32(duration);
    if (!oneSize) writer.u32(bytes.length);
  }
};

const total = (lengths: readonly number[]): number => lengths.reduce((sum, next) => sum + next, 0);

/**
 * One part: `styp` where a segment begins, `prft`, `emsg` of each title, `moof`, `mdat`. Its decode
 * time (`tfdt`, 64 bits) is the track time of the first unit.
 */
export const mediaPart = (content: PartContent): Buffer => {
  const { units, metadata = [], producerTime, beginsSegment = false } = content;
  const [first] = units as readonly [AccessUnit];
  const tags = metadata.map(id3Tag);
  const layout = runLayout(first, units);
  const mediaBytes = BOX_HEADER_BYTES + total(units.map(({ bytes }) => bytes.length));
  const writer = new BoxWriter(
    (beginsSegment ? SEGMENT_TYPE.length : 0) +
      (producerTime ? PRODUCER_TIME_BYTES : 0) +
      total(tags.map(eventBytes)) +
      fragmentBytes(layout) +
      mediaBytes,
  );
  if (beginsSegment) writer.copy(SEGMENT_TYPE);
  if (producerTime) writeProducerTime(writer, producerTime.utc, first.at);
  for (const [index, { at }] of metadata.entries()) writeEvent(writer, at, tags[index] as Buffer);
  writeFragment(writer, content, layout);
  writer.begin('mdat', mediaBytes);
  for (const { bytes } of units) writer.copy(bytes);
  return writer.bytes;
};
