/**
 * Segments in MPEG-2 transport stream (ISO/IEC 13818-1) for players that know nothing else: AAC in
 * ADTS, titles as timed ID3, tables at the beginning of each segment.
 */
import type { Samples } from '../../shared/time.ts';
import { ADTS_HEADER_BYTES, writeAdtsHeader } from './adts.ts';
import { id3Tag } from './id3.ts';
import { pesPackets, TRANSPORT_PACKET_BYTES, tablePacket } from './mpegts-packets.ts';
import { PID, PROGRAM_ASSOCIATION, PROGRAM_MAP } from './mpegts-tables.ts';
import type { AccessUnit, TimedMetadata } from './track.ts';

/**
 * Counters of the packets sent, of tables, sound and titles. They go on from segment to segment of a
 * rendition, because players read segments as one stream and take a jump for loss.
 */
export type TransportContinuity = { tables: number; audio: number; metadata: number };

/** Where the counters begin. */
export const newTransportContinuity = (): TransportContinuity => ({
  tables: 0,
  audio: 0,
  metadata: 0,
});

const PES_HEADER_BYTES = 14;
/** Units that share a PES header and the stuffing behind it: 0.256 s, 15 to a segment. */
const UNITS_PER_PES = 12;
/** Units between two clock references, of which one is due within 0.1 s. */
const UNITS_PER_CLOCK = 4;
const STREAM_ID = { audio: 0xc0, metadata: 0xbd } as const;

const TWO_TO_33 = 2 ** 33;
const COUNTER_MASK = 15;
/** How long before its presentation sound arrives, by the clock reference: 0.1 s at 90 kHz. */
const LEAD = 9000;

/** Track time at 90 kHz, 15 to 8 samples, in 33 bits, which wrap every 26.5 hours. */
const timeStamp = (at: Samples): number => Math.floor((at * 15) / 8) % TWO_TO_33;

/** Header of the PES packet that fills `target`, with a presentation time. */
const writePesHeader = (
  target: Buffer,
  { streamId, at }: { readonly streamId: number; readonly at: Samples },
): void => {
  const stamp = timeStamp(at);
  target.writeUInt32BE(0x100 + streamId, 0);
  target.writeUInt16BE(target.length - 6, 4);
  target[6] = 0x84; // the content begins with a whole unit
  target[7] = 0x80; // a presentation time follows
  target[8] = 5;
  target[9] = 0x21 | ((stamp / 0x2000_0000) & 0x0e);
  target.writeUInt16BE((((stamp / 0x8000) & 0x7fff) << 1) | 1, 10);
  target.writeUInt16BE(((stamp & 0x7fff) << 1) | 1, 12);
};

const audioPes = (units: readonly AccessUnit[], channels: 1 | 2): Buffer => {
  const [first] = units as readonly [AccessUnit];
  const length = units.reduce((sum, { bytes }) => sum + ADTS_HEADER_BYTES + bytes.length, 0);
  const pes = Buffer.allocUnsafe(PES_HEADER_BYTES + length);
  writePesHeader(pes, { streamId: STREAM_ID.audio, at: first.at });
  let offset = PES_HEADER_BYTES;
  for (const { bytes } of units) {
    offset = writeAdtsHeader(pes, offset, { unitBytes: bytes.length, channels });
    pes.set(bytes, offset);
    offset += bytes.length;
  }
  return pes;
};

const metadataPes = (metadata: TimedMetadata): Buffer => {
  const header = Buffer.alloc(PES_HEADER_BYTES);
  const pes = Buffer.concat([header, id3Tag(metadata)]);
  writePesHeader(pes, { streamId: STREAM_ID.metadata, at: metadata.at });
  return pes;
};

/** The clock references due while the sound arrives, at 90 kHz. */
const clockReferences = (units: readonly AccessUnit[]): readonly number[] =>
  units
    .filter((_, index) => index % UNITS_PER_CLOCK === 0)
    .map(({ at }) => (timeStamp(at) + TWO_TO_33 - LEAD) % TWO_TO_33);

/** What a transport stream segment consists of. */
export type TransportContent = {
  /** AAC units, each beginning where the one before ended; 8184 bytes each at most. */
  readonly units: readonly AccessUnit[];
  /** Titles that begin within the segment, in order of time; tags of 65,000 bytes at most. */
  readonly metadata: readonly TimedMetadata[];
  /** Where the segment before left off; is moved on. */
  readonly continuity: TransportContinuity;
  readonly channels?: 1 | 2;
};

/** One segment: tables, then sound with each title before the sound it begins in. */
export const transportSegment = (content: TransportContent): Buffer => {
  const { units, metadata, continuity, channels = 2 } = content;
  const packets: Buffer[] = [
    tablePacket(PROGRAM_ASSOCIATION, { pid: PID.association, counter: continuity.tables }),
    tablePacket(PROGRAM_MAP, { pid: PID.map, counter: continuity.tables }),
  ];
  continuity.tables = (continuity.tables + 1) & COUNTER_MASK;
  const send = (stream: 'audio' | 'metadata', pes: Buffer, clocks: readonly number[]): void => {
    const sent = pesPackets(pes, clocks, { pid: PID[stream], counter: continuity[stream] });
    continuity[stream] = (continuity[stream] + sent.length / TRANSPORT_PACKET_BYTES) & COUNTER_MASK;
    packets.push(sent);
  };
  const titles = metadata.values();
  let title = titles.next();
  for (let index = 0; index < units.length; index += UNITS_PER_PES) {
    const group = units.slice(index, index + UNITS_PER_PES);
    const { at, duration } = group.at(-1) as AccessUnit;
    for (; !title.done && title.value.at < at + duration; title = titles.next())
      send('metadata', metadataPes(title.value), []);
    send('audio', audioPes(group, channels), clockReferences(group));
  }
  for (; !title.done; title = titles.next()) send('metadata', metadataPes(title.value), []);
  return Buffer.concat(packets);
};

/** Where the counters of the packets of a segment go on, for what follows it. */
export const continuityAfter = (segment: Buffer): TransportContinuity => {
  const continuity = newTransportContinuity();
  for (let at = 0; at + TRANSPORT_PACKET_BYTES <= segment.length; at += TRANSPORT_PACKET_BYTES) {
    const pid = segment.readUInt16BE(at + 1) & 0x1fff;
    const next = ((segment[at + 3] ?? 0) + 1) & COUNTER_MASK;
    if (pid === PID.association) continuity.tables = next;
    if (pid === PID.audio) continuity.audio = next;
    if (pid === PID.metadata) continuity.metadata = next;
  }
  return continuity;
};
