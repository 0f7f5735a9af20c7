import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { BadBody, FrameBody } from '../../server/recorder/frame-body.ts';
import { Journal } from '../../server/recorder/journal.ts';
import { RecordReader, recordOf } from '../../server/recorder/journal-record.ts';
import { packetsOf } from '../../server/recorder/ogg-stream.ts';
import { frameOf, realPackets } from '../helpers/opus-frames.ts';

const SEED = 20_261_122;
const { log } = fastify({ logger: false });
const FRAMES = realPackets(60).map((packet, sequence) => frameOf(packet, { sequence }));
const WHOLE = Buffer.concat(FRAMES.map(({ bytes }) => recordOf(bytes)));

/** What a disk can do to a file: bytes changed, taken out, put in, cut off. */
const damage = fc.array(
  fc.record({
    at: fc.nat(WHOLE.length),
    kind: fc.constantFrom('change', 'take', 'put', 'cut'),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  }),
  { maxLength: 4 },
);
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

const damaged = (list: Damage): Buffer =>
  list.reduce<Buffer>((file, { at, kind, bytes }) => {
    if (kind === 'cut') return file.subarray(0, at);
    const behind = kind === 'put' ? at : at + bytes.length;
    const middle = kind === 'take' ? Buffer.alloc(0) : bytes;
    return Buffer.concat([file.subarray(0, at), middle, file.subarray(behind)]);
  }, WHOLE);

describe('whatever a disk does to it', () => {
  it('a journal gives only frames that were written, and takes the others again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'skywave-fuzz-'));
    let made = 0;
    await fc.assert(
      fc.asyncProperty(damage, async (list) => {
        made += 1;
        const path = join(folder, `${made}.journal`);
        await writeFile(path, damaged(list));
        const journal = await Journal.read(path, { log });
        for (const frame of FRAMES) expect(journal.enter(frame)).toMatch(/entered|repeated/);
        await journal.flush();
        await journal.close();
        const again = await Journal.read(path, { log });
        const file = await readFile(path);
        const packets = again
          .blocks()
          .flatMap((block) =>
            packetsOf(file.subarray(block.offset, block.offset + block.bytes), block),
          );
        expect(packets.length).toBe(FRAMES.length);
        for (const [index, packet] of packets.entries())
          expect(Buffer.compare(packet, FRAMES[index]?.packet ?? Buffer.alloc(0))).toBe(0);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('is read the same in pieces of any size', () => {
    const read = (file: Buffer, sizes: readonly number[]): unknown => {
      const found: number[] = [];
      const reader = new RecordReader((_, offset) => found.push(offset));
      for (let at = 0, turn = 0; at < file.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        reader.read(file.subarray(at, at + size));
        at += size;
      }
      reader.finish();
      return { found, end: reader.end, damaged: reader.damaged };
    };
    const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(damage, sizes, (list, some) => {
        const file = damaged(list);
        expect(read(file, some)).toEqual(read(file, [file.length + 1]));
      }),
      { seed: SEED, numRuns: 100 },
    );
  });
});

describe('whatever a stranger sends as frames', () => {
  const body = Buffer.concat(
    FRAMES.flatMap(({ bytes }) => [Buffer.of(bytes.length >> 8, bytes.length & 255), bytes]),
  );

  it('is taken frame by frame, or refused with a sentence', () => {
    const sent = fc.oneof(
      fc.uint8Array({ maxLength: 4000 }),
      fc
        .record({ at: fc.nat(body.length), bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }) })
        .map(({ at, bytes }) => Buffer.concat([body.subarray(0, at), bytes, body.subarray(at)])),
    );
    fc.assert(
      fc.property(sent, fc.integer({ min: 1, max: 5000 }), (bytes, size) => {
        const parser = new FrameBody();
        try {
          for (let at = 0; at < bytes.length; at += size)
            for (const frame of parser.read(bytes.subarray(at, at + size)))
              expect(frame.bytes.length).toBeLessThanOrEqual(1516);
          parser.finish();
        } catch (error) {
          expect(error).toBeInstanceOf(BadBody);
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('gives back what was sent, in pieces of any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4000 }), (size) => {
        const parser = new FrameBody();
        const frames: Uint8Array[] = [];
        for (let at = 0; at < body.length; at += size)
          for (const { bytes } of parser.read(body.subarray(at, at + size)))
            frames.push(Uint8Array.from(bytes));
        parser.finish();
        expect(frames.length).toBe(FRAMES.length);
        for (const [index, bytes] of frames.entries())
          expect(Buffer.compare(bytes, FRAMES[index]?.bytes ?? Buffer.alloc(0))).toBe(0);
      }),
      { seed: SEED, numRuns: 50 },
    );
  });
});
