/** Reads back what `mediaPart` wrote: where a segment's parts end, and the units in them. */
import { type Samples, samples } from '../../shared/time.ts';
import { BOX_HEADER_BYTES } from './fmp4-box.ts';
import type { AccessUnit } from './track.ts';

/** One part as it was written. */
export type ReadPart = { readonly bytes: Buffer; readonly units: readonly AccessUnit[] };

type Box = { readonly type: string; readonly content: Buffer; readonly end: number };

/** Flags of `tfhd` and `trun` that our own fragments use (ISO/IEC 14496-12 sections 8.8.7, 8.8.8). */
const HEADER_FLAG = { duration: 0x8, size: 0x10 };
const RUN_FLAG = { duration: 0x100, size: 0x200 };
const FLAGS = 0xff_ffff;
const TWO_TO_32 = 0x1_0000_0000;

/** Whole boxes, one after the other; a torn one ends the list. */
function* boxesIn(bytes: Buffer): Generator<Box> {
  for (let offset = 0; offset + BOX_HEADER_BYTES <= bytes.length; ) {
    const end = offset + bytes.readUInt32BE(offset);
    if (end < offset + BOX_HEADER_BYTES || end > bytes.length) return;
    const type = bytes.toString('latin1', offset + 4, offset + BOX_HEADER_BYTES);
    yield { type, content: bytes.subarray(offset + BOX_HEADER_BYTES, end), end };
    offset = end;
  }
}

const within = (bytes: Buffer, type: string): Buffer =>
  [...boxesIn(bytes)].find((box) => box.type === type)?.content ?? Buffer.alloc(0);

type Run = { at: Samples; sizes: readonly { duration: Samples; length: number }[] };

const runOf = (fragment: Buffer): Run => {
  const track = within(fragment, 'traf');
  const header = within(track, 'tfhd');
  const time = within(track, 'tfdt');
  const run = within(track, 'trun');
  const defaults = header.readUInt32BE(0) & FLAGS;
  const each = run.readUInt32BE(0) & FLAGS;
  let offset = 8;
  const duration = defaults & HEADER_FLAG.duration ? header.readUInt32BE(offset) : 0;
  if (defaults & HEADER_FLAG.duration) offset += 4;
  const length = defaults & HEADER_FLAG.size ? header.readUInt32BE(offset) : 0;
  let next = 12;
  const own = (flag: number, otherwise: number): number => {
    if ((each & flag) === 0) return otherwise;
    next += 4;
    return run.readUInt32BE(next - 4);
  };
  const sizes = Array.from({ length: run.readUInt32BE(4) }, () => ({
    duration: samples(own(RUN_FLAG.duration, duration)),
    length: own(RUN_FLAG.size, length),
  }));
  return { at: samples(time.readUInt32BE(4) * TWO_TO_32 + time.readUInt32BE(8)), sizes };
};

const unitsOf = ({ at, sizes }: Run, content: Buffer): AccessUnit[] => {
  let next: number = at;
  let offset = 0;
  return sizes.map(({ duration, length }) => {
    const unit = { at: samples(next), duration, bytes: content.subarray(offset, offset + length) };
    next += duration;
    offset += length;
    return unit;
  });
};

/** The whole parts at the beginning of a segment's bytes; what a crash tore off is left out. */
export const readParts = (media: Buffer): ReadPart[] => {
  const parts: ReadPart[] = [];
  let begin = 0;
  let run: Run | undefined;
  for (const { type, content, end } of boxesIn(media)) {
    if (type === 'moof') run = runOf(content);
    if (type !== 'mdat' || run === undefined) continue;
    parts.push({ bytes: media.subarray(begin, end), units: unitsOf(run, content) });
    begin = end;
    run = undefined;
  }
  return parts;
};
