import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolViolation } from '../../shared/codes.ts';
import {
  parseListenerMessage,
  parsePublisherMessage,
  parseToListenerMessage,
  parseToPublisherMessage,
} from '../../shared/control.ts';
import { decodeFrame, encodeFrame, FRAME_DURATIONS, MAX_FRAME_BYTES } from '../../shared/frame.ts';
import { opusDuration } from '../../shared/opus.ts';
import { samples } from '../../shared/time.ts';

const seed = Number(process.env.FUZZ_SEED ?? 20_261_122);
const runs = { numRuns: 100_000, seed };
console.info(`fuzz seed ${seed}`);

/** The parser returns or throws a violation whose sentence fits a close frame; nothing else. */
const answers = (parse: () => unknown): boolean => {
  try {
    parse();
    return true;
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error;
    expect(new TextEncoder().encode(error.message).length).toBeLessThanOrEqual(123);
    return false;
  }
};

const TOCS = [0x00, 0x08, 0x78, 0xe0, 0xe8, 0xf0, 0xf8, 0xfc, 0xfb, 0xff];
const frameLike = fc
  .tuple(
    fc.uint8Array({ minLength: 0, maxLength: 60, size: 'max' }),
    fc.constantFrom(...TOCS),
    fc.constantFrom(1, 4, 8, 16),
    fc.boolean(),
  )
  .map(([bytes, toc, units, wellFormed]) => {
    if (wellFormed && bytes.length > 17) {
      bytes[0] = 1;
      bytes[3] = units;
      bytes.fill(0, 10, 16);
      bytes[16] = toc;
    }
    return bytes;
  });

describe('the frame parser', () => {
  it('answers 100,000 byte strings with a frame or a violation', () => {
    let accepted = 0;
    fc.assert(
      fc.property(frameLike, (bytes) => {
        const before = bytes.slice();
        if (answers(() => decodeFrame(bytes))) {
          accepted += 1;
          const frame = decodeFrame(bytes);
          expect(opusDuration(frame.packet)).toBe(frame.duration);
          expect(frame.timestamp % frame.duration).toBe(0);
        }
        expect(bytes).toEqual(before);
      }),
      runs,
    );
    // Both outcomes must be exercised, or the claim above is empty.
    expect(accepted).toBeGreaterThan(1000);
    expect(accepted).toBeLessThan(90_000);
  });

  it('reads back what was written, over the whole range of every field', () => {
    fc.assert(
      fc.property(
        fc.record({
          flags: fc.nat(255),
          rendition: fc.nat(255),
          duration: fc.constantFrom(...FRAME_DURATIONS),
          sequence: fc.nat(0xffff_ffff),
          epoch: fc.nat(0xffff),
          position: fc.nat(0xffff_ffff),
          rest: fc.uint8Array({ maxLength: 50 }),
        }),
        ({ position, rest, duration, ...header }) => {
          const toc = { 120: 0xe0, 240: 0xe8, 480: 0xf0, 960: 0xf8, 1920: 0xf9 }[duration] ?? 0;
          const packet = Uint8Array.of(toc, ...rest);
          const timestamp = samples(position * duration);
          const written = { ...header, duration: samples(duration), timestamp };
          const { bytes, packet: read, ...parsed } = decodeFrame(encodeFrame(written, packet));
          expect(parsed).toEqual(written);
          expect(read).toEqual(packet);
          expect(bytes.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
        },
      ),
      { numRuns: 20_000, seed },
    );
  });
});

const field = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string({ maxLength: 20 }),
  fc.boolean(),
  fc.constant(null),
  fc.record({ epoch: fc.integer(), sequence: fc.integer(), timestamp: fc.integer() }),
  fc.array(fc.integer(), { maxLength: 3 }),
);
const names = [
  'role',
  'rendition',
  'resume',
  'epoch',
  'sequence',
  'timestamp',
  'utc',
  'uncertainty',
  'id',
  'sent',
  'received',
  'replied',
  'title',
  'at',
  'ms',
  'behind',
  'after',
  'is',
  'catalog',
  'start',
  'live',
  'clock',
  'recovered',
  'session',
  'buffered',
  'target',
  'concealed',
  'skipped',
  'latency',
  'reason',
  'rate',
  '__proto__',
  'constructor',
];
const types = [
  'hello',
  'welcome',
  'clock',
  'metadata',
  'ping',
  'pong',
  'bye',
  'ack',
  'tally',
  'report',
  'select',
  'pace',
  'pause',
  'seek',
  'place',
  'rate',
  'catalog',
  'skipped',
  'state',
  'goaway',
  'toString',
  '',
];
const messageLike = fc.oneof(
  fc.string(),
  fc.json({ maxDepth: 3 }),
  fc
    .tuple(
      fc.constantFrom(...types),
      fc.dictionary(fc.constantFrom(...names), field, { maxKeys: 8 }),
    )
    .map(([type, fields]) => JSON.stringify({ type, ...fields })),
);

describe('the control parsers', () => {
  it.each([
    ['of publishers', parsePublisherMessage],
    ['to publishers', parseToPublisherMessage],
    ['of listeners', parseListenerMessage],
    ['to listeners', parseToListenerMessage],
  ])('%s answer 25,000 texts with a message or a violation', (_name, parse) => {
    let accepted = 0;
    fc.assert(
      fc.property(messageLike, (text) => {
        if (answers(() => parse(text))) accepted += 1;
      }),
      { numRuns: 25_000, seed },
    );
    expect(accepted).toBeGreaterThan(0);
    expect(Object.prototype).not.toHaveProperty('type');
  });

  it('never repeat in a sentence what the peer wrote', () => {
    try {
      parsePublisherMessage('{"type":"metadata","title":{"secret":"swordfish"}}');
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain('swordfish');
      expect(String(error)).toContain('title');
    }
  });
});
