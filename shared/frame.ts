/**
 * The audio frame of skywave.v1: 16 bytes of header in network byte order, then one Opus packet
 * (shared/PROTOCOL.md, Audio frame). Written once by the publisher and never changed after.
 */
import { CLOSE, ProtocolViolation } from './codes.ts';
import { MAX_PACKET_BYTES, opusDuration } from './opus.ts';
import { type Samples, samples } from './time.ts';

/** Length of the header, bytes. */
export const HEADER_BYTES = 16;

/** The longest frame, bytes. */
export const MAX_FRAME_BYTES = HEADER_BYTES + MAX_PACKET_BYTES;

/** Frame durations that fit the packager's grid, in samples: 2.5, 5, 10, 20 and 40 ms. */
export const FRAME_DURATIONS: readonly number[] = [120, 240, 480, 960, 1920];

/** Bits of the flags byte; the others are 0 and ignored when received. */
export const FLAG = { discontinuity: 1, talkspurt: 2, dtx: 4, fec: 8, config: 16 } as const;

const KIND_AUDIO = 1;
const DURATION_UNIT = 120;
const TWO_TO_32 = 0x1_0000_0000;
const MAX_TIMESTAMP = 0xffff_ffff_ffff;

/** What the header of a frame says. */
export type FrameHeader = {
  readonly flags: number;
  /** Index in the catalog; 0 is the publisher's own encoding. */
  readonly rendition: number;
  readonly duration: Samples;
  /** One more than the frame before it in the epoch; begins at 0. */
  readonly sequence: number;
  readonly epoch: number;
  /** First decoded sample of the frame, counted from the start of the epoch. */
  readonly timestamp: Samples;
};

/** A parsed frame: its header, the Opus packet, and the very bytes it came in. */
export type Frame = FrameHeader & {
  /** View on `bytes`. */
  readonly packet: Uint8Array;
  readonly bytes: Uint8Array;
};

/** Writes a frame; the packet is copied. The caller vouches for the ranges of the header. */
export const encodeFrame = (header: FrameHeader, packet: Uint8Array): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(HEADER_BYTES + packet.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = KIND_AUDIO;
  bytes[1] = header.flags;
  bytes[2] = header.rendition;
  bytes[3] = header.duration / DURATION_UNIT;
  view.setUint32(4, header.sequence);
  view.setUint16(8, header.epoch);
  view.setUint16(10, Math.floor(header.timestamp / TWO_TO_32));
  view.setUint32(12, header.timestamp >>> 0);
  bytes.set(packet, HEADER_BYTES);
  return bytes;
};

const malformed = (sentence: string): ProtocolViolation =>
  new ProtocolViolation(CLOSE.badMessage, sentence);

/**
 * Parses one binary message without copying it.
 *
 * @throws {ProtocolViolation} 4413 when longer than 1516 bytes; 4400 when shorter than a header
 *   and one byte, of another kind, of a duration that is not on the grid or not the packet's own,
 *   or with a timestamp that is not a multiple of the duration.
 */
export const decodeFrame = (bytes: Uint8Array): Frame => {
  if (bytes.length > MAX_FRAME_BYTES)
    throw new ProtocolViolation(
      CLOSE.tooLarge,
      `A frame has at most ${MAX_FRAME_BYTES} bytes; this one has ${bytes.length}.`,
    );
  if (bytes.length <= HEADER_BYTES)
    throw malformed(`A frame has more than ${HEADER_BYTES} bytes; this one has ${bytes.length}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kind = view.getUint8(0);
  if (kind !== KIND_AUDIO) throw malformed(`Kind ${kind} is unknown; an audio frame is kind 1.`);
  const packet = bytes.subarray(HEADER_BYTES);
  const duration = samples(view.getUint8(3) * DURATION_UNIT);
  if (!FRAME_DURATIONS.includes(duration))
    throw malformed(`A frame of ${duration} samples does not fit the grid; use 960.`);
  if (opusDuration(packet) !== duration)
    throw malformed(`The header says ${duration} samples, the packet ${opusDuration(packet)}.`);
  const timestamp = samples(view.getUint16(10) * TWO_TO_32 + view.getUint32(12));
  if (timestamp % duration !== 0)
    throw malformed(`Timestamp ${timestamp} is no multiple of the frame's ${duration} samples.`);
  return {
    flags: view.getUint8(1),
    rendition: view.getUint8(2),
    duration,
    sequence: view.getUint32(4),
    epoch: view.getUint16(8),
    timestamp,
    packet,
    bytes,
  };
};

/** Timestamp of the sample after the frame's last. */
export const frameEnd = (frame: FrameHeader): Samples =>
  samples(Math.min(frame.timestamp + frame.duration, MAX_TIMESTAMP));
