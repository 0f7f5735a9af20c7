/**
 * Program tables of our transport streams (ISO/IEC 13818-1 section 2.4.4): one program of AAC and
 * timed ID3. They never change, so they are made once.
 */

/** Packet identifiers: the programme association table, its map, the sound and the titles. */
export const PID = { association: 0, map: 0x1000, audio: 0x101, metadata: 0x102 } as const;

const PROGRAM = 1;
const STREAM_AAC_ADTS = 0x0f;
const STREAM_METADATA_PES = 0x15;

/** Metadata application and format 'ID3 ' (Apple, Timed Metadata for HTTP Live Streaming). */
const ID3_FORMAT = [0xff, 0xff, 0x49, 0x44, 0x33, 0x20, 0xff, 0x49, 0x44, 0x33, 0x20];
/** Service 0, no locator, carried in this very transport stream, in this program. */
const METADATA_POINTER = [0x25, 15, ...ID3_FORMAT, 0, 0x1f, 0, PROGRAM];
/** Service 0, no decoder configuration. */
const METADATA_DESCRIPTOR = [0x26, 13, ...ID3_FORMAT, 0, 0x0f];

/** A 13-bit identifier or a 12-bit length after reserved bits that are 1. */
const pid = (value: number): readonly number[] => [0xe0 | (value >> 8), value & 0xff];
const length12 = (value: number): readonly number[] => [0xf0 | (value >> 8), value & 0xff];

/** CRC of program tables (ISO/IEC 13818-1 annex A): polynomial 0x04c11db7, not reflected. */
const crc32 = (bytes: readonly number[]): number => {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc < 0 ? 0x04c1_1db7 : 0);
  }
  return crc >>> 0;
};

/** A table in current version 0 with its pointer field before and its checksum behind. */
const section = (table: number, id: number, content: readonly number[]): Buffer => {
  const length = 5 + content.length + 4;
  const head = [table, 0xb0 | (length >> 8), length & 0xff, id >> 8, id & 0xff, 0xc1, 0, 0];
  const bytes = Buffer.from([0, ...head, ...content, 0, 0, 0, 0]);
  bytes.writeUInt32BE(crc32([...head, ...content]), bytes.length - 4);
  return bytes;
};

/** Which program there is and where its map is. */
export const PROGRAM_ASSOCIATION = section(0, 1, [0, PROGRAM, ...pid(PID.map)]);

/** Which streams the program has; the clock comes with the sound. */
export const PROGRAM_MAP = section(2, PROGRAM, [
  ...pid(PID.audio),
  ...length12(METADATA_POINTER.length),
  ...METADATA_POINTER,
  STREAM_AAC_ADTS,
  ...pid(PID.audio),
  ...length12(0),
  STREAM_METADATA_PES,
  ...pid(PID.metadata),
  ...length12(METADATA_DESCRIPTOR.length),
  ...METADATA_DESCRIPTOR,
]);
