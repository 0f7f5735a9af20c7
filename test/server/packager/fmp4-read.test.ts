import { describe, expect, it } from 'vitest';
import { mediaPart } from '../../../server/packager/fmp4.ts';
import { readParts } from '../../../server/packager/fmp4-read.ts';
import {
  continuityAfter,
  newTransportContinuity,
  transportSegment,
} from '../../../server/packager/mpegts.ts';
import type { AccessUnit, TimedMetadata } from '../../../server/packager/track.ts';
import { samples } from '../../../shared/time.ts';
import { seededRandom } from '../../helpers/seeded-random.ts';

const SEED = 7;
console.log(`seed ${SEED}`);
const random = seededRandom(SEED);
/** Beyond 32 bits: a day and two hours. */
const BEGIN = 93_600 * 48_000;

const unitsFrom = (
  at: number,
  { count, duration, bytes }: { count: number; duration: () => number; bytes: () => number },
): AccessUnit[] => {
  let next = at;
  return Array.from({ length: count }, () => {
    const unit = {
      at: samples(next),
      duration: samples(duration()),
      bytes: Buffer.from(Array.from({ length: bytes() }, () => Math.floor(random() * 256))),
    };
    next += unit.duration;
    return unit;
  });
};
const title: TimedMetadata = {
  at: samples(BEGIN),
  title: 'A title',
  artist: null,
  artwork: null,
  url: null,
};
const alike = { count: 15, duration: () => 1024, bytes: () => 341 };
const other = {
  count: 9,
  duration: () => (random() < 0.5 ? 960 : 480),
  bytes: () => 1 + Math.floor(random() * 500),
};
const runs = [alike, other, { ...alike, bytes: other.bytes }, { ...other, bytes: alike.bytes }];
const contents = runs.map((run) => unitsFrom(BEGIN, run));
const parts = contents.map((units, index) =>
  mediaPart({
    sequence: index,
    units,
    metadata: index % 2 === 0 ? [title] : [],
    beginsSegment: index === 0,
  }),
);

describe('a segment that is read back', () => {
  it('has the parts and units that were written, however they are described', () => {
    const read = readParts(Buffer.concat(parts));
    expect(read.map(({ bytes }) => bytes)).toEqual(parts);
    expect(read.map(({ units }) => units)).toEqual(contents);
  });

  it('has its whole parts, wherever it is torn', () => {
    const whole = Buffer.concat(parts);
    const ends = parts.map((_, index) => Buffer.concat(parts.slice(0, index + 1)).length);
    for (let length = 0; length <= whole.length; length += 7)
      expect(readParts(whole.subarray(0, length))).toHaveLength(
        ends.filter((end) => end <= length).length,
      );
  });

  it('is nothing where there is nothing of ours', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(5000), Buffer.from('styp'.repeat(99))])
      expect(readParts(bytes)).toEqual([]);
  });
});

it('the counters of transport packets go on from the bytes of the segment before', () => {
  const continuity = newTransportContinuity();
  for (let turn = 0; turn < 20; turn += 1) {
    const units = unitsFrom(BEGIN, { ...alike, count: 13 + turn, bytes: other.bytes });
    const segment = transportSegment({ units, metadata: [title], continuity });
    expect(continuityAfter(segment)).toEqual(continuity);
  }
});
