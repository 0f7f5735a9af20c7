import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Feed, Outcome } from '../../../server/transcoder/messages.ts';
import {
  packFeed,
  packOutcome,
  unpackFeed,
  unpackOutcome,
} from '../../../server/transcoder/packing.ts';
import { samples } from '../../../shared/time.ts';

const SEED = 20_261_128;
const word = fc.integer({ min: 0, max: 0xffff_ffff });
const time = fc.maxSafeNat().map(samples);
const duration = fc.integer({ min: 0, max: 480_000 }).map(samples);
const bytes = fc.uint8Array({ maxLength: 9000 });
const piece: fc.Arbitrary<Feed> = fc.oneof(
  fc.record({
    kind: fc.constant('frame' as const),
    ...{ at: time, duration, sequence: word, timestamp: time, epoch: word, packet: bytes },
  }),
  fc.record({
    kind: fc.constantFrom('silence' as const, 'discontinuity' as const, 'end' as const),
    ...{ at: time, duration },
  }),
);
const frame = fc.record({
  ...{ at: time, rendition: word, sequence: word, timestamp: time, epoch: word, duration },
  packet: bytes,
});
const number = fc.double({ noNaN: true });
const outcome: fc.Arbitrary<Outcome> = fc.record({
  until: time,
  units: fc.array(fc.record({ at: time, bytes: fc.array(bytes, { maxLength: 3 }) })),
  frames: fc.array(frame),
  blocks: fc.array(fc.record({ at: time, power: number, peak: number })),
  corrupt: fc.array(time),
});

/** As it comes out of the other process, at any place in its memory. */
const sent = (packed: Uint8Array): Uint8Array => deserialize(serialize(packed));

it('pieces and outcomes come through as they were', () => {
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      expect(unpackFeed(sent(packFeed(pieces)))).toEqual(pieces);
    }),
    { seed: SEED },
  );
  fc.assert(
    fc.property(outcome, (made) => {
      expect(unpackOutcome(sent(packOutcome(made)))).toEqual(made);
    }),
    { seed: SEED },
  );
});

it('what is cut off is refused', () => {
  const packed = packFeed([
    {
      ...{ kind: 'frame', at: samples(0), duration: samples(960), sequence: 1, epoch: 2 },
      ...{ timestamp: samples(0), packet: new Uint8Array(100) },
    },
  ]);
  for (let length = 0; length < packed.length; length += 1)
    expect(() => unpackFeed(packed.subarray(0, length))).toThrow(RangeError);
});
