/**
 * A piece of a spool: one file of frames of one epoch, one after the other without a gap, each as it
 * would have gone over the socket and behind its length, which is just what the upload takes
 * (shared/PROTOCOL.md, The spool). What a later visit has to know stands in the file's name.
 */
import { MAX_FRAME_BYTES } from '../../shared/frame.ts';
import { type Millis, samples, samplesToMillis, type Utc, utc } from '../../shared/time.ts';

/** Bytes of the length before each frame. */
export const LENGTH_BYTES = 2;

/** Whose frames a segment holds. */
export type Place = {
  /** Id of the recording they belong to. */
  readonly recording: string;
  readonly epoch: number;
  /** When the broadcast began here, by the wall clock. */
  readonly begun: Utc;
};

const NAME = /^(\d{1,5})~(\d{1,15})~(\d{1,10})~[a-z0-9]+~(.+)\.frames$/;

/** A name that no other segment has, not even another tab's; `random` is between 0 and 1. */
export const segmentName = (place: Place, from: number, random: number): string => {
  const tag = Math.floor(random * 36 ** 8).toString(36);
  const { epoch, begun, recording } = place;
  return `${epoch}~${begun.toFixed(0)}~${from}~${tag}~${encodeURIComponent(recording)}.frames`;
};

/** What a name says; null for a file that is no segment. */
export const readSegmentName = (name: string): (Place & { readonly from: number }) | null => {
  const [, epoch, begun, from, recording] = NAME.exec(name) ?? [];
  if (recording === undefined) return null;
  try {
    return {
      recording: decodeURIComponent(recording),
      epoch: Number(epoch),
      begun: utc(Number(begun)),
      from: Number(from),
    };
  } catch {
    return null;
  }
};

/** A frame behind its length. */
export const recordOf = (frame: Uint8Array): Uint8Array<ArrayBuffer> => {
  const record = new Uint8Array(LENGTH_BYTES + frame.length);
  new DataView(record.buffer).setUint16(0, frame.length);
  record.set(frame, LENGTH_BYTES);
  return record;
};

/** Every whole record, as views; what comes after a torn one is no record. */
export const recordsIn = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] => {
  const records: Uint8Array<ArrayBuffer>[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + LENGTH_BYTES <= bytes.length; ) {
    const length = view.getUint16(at);
    const end = at + LENGTH_BYTES + length;
    if (length === 0 || length > MAX_FRAME_BYTES || end > bytes.length) break;
    records.push(bytes.subarray(at, end));
    at = end;
  }
  return records;
};

/** Length of the frame in a record, ms (shared/PROTOCOL.md, The audio frame: units of 120 samples). */
export const frameLength = (record: Uint8Array): Millis =>
  samplesToMillis(samples((record[LENGTH_BYTES + 3] ?? 0) * 120));

/** Records joined to one body. */
export const joined = (records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const record of records) {
    whole.set(record, at);
    at += record.length;
  }
  return whole;
};
