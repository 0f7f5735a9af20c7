import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAX_PACKET_BYTES, MAX_PACKET_DURATION } from '../../shared/opus.ts';
import { SAMPLE_RATE } from '../../shared/time.ts';
import { OpusDecoder, OpusEncoder } from '../../worklets/opus-codec.ts';
import { synthesize } from '../fixtures/synth.ts';
import { seededRandom } from '../helpers/seeded-random.ts';

const SEED = 0x0905_2026;
const PACKETS = 120_000;

const compile = (name: string): WebAssembly.Module =>
  new WebAssembly.Module(readFileSync(new URL(`../../worklets/opus/${name}`, import.meta.url)));
const decoderOnly = compile('decoder.wasm');

/** Packets of every mode, channel count and a few durations, as an encoder makes them. */
const makeCorpus = (): Uint8Array[] => {
  const module = compile('codec.wasm');
  const corpus: Uint8Array[] = [];
  for (const channels of [1, 2] as const)
    for (const application of ['voip', 'audio'] as const)
      for (const bitrate of [12_000, 32_000, 96_000])
        for (const duration of [120, 480, 960, 2880]) {
          const options = { channels, application, bitrate, complexity: 5, fec: true, loss: 20 };
          const encoder = new OpusEncoder(module, options);
          const length = duration * channels;
          const pcm = synthesize(1.2 * SAMPLE_RATE, { channels, seed: SEED });
          for (let at = 0; at + length <= pcm.length; at += 4 * length) {
            encoder.pcm.set(pcm.subarray(at, at + length));
            corpus.push(encoder.encode(duration).slice());
          }
        }
  return corpus;
};

type Random = () => number;
const below = (random: Random, limit: number): number => Math.floor(random() * limit);

/** What a network, a bug or an enemy may do to a packet; each returns new bytes, never empty. */
const MUTATIONS: readonly ((packet: Uint8Array, random: Random) => Uint8Array)[] = [
  (packet, random) => {
    const flipped = packet.slice();
    for (let flips = 1 + below(random, 8); flips > 0; flips -= 1)
      flipped[below(random, flipped.length)]! ^= 1 << below(random, 8);
    return flipped;
  },
  (packet, random) => packet.slice(0, 1 + below(random, packet.length)),
  (packet, random) => {
    const other = packet.slice();
    other[0] = below(random, 256);
    return other;
  },
  (packet, random) => {
    const other = packet.slice();
    other[0] = other[0]! | 3;
    other[1] = below(random, 256);
    return other;
  },
  (packet, random) => {
    const longer = new Uint8Array(Math.min(MAX_PACKET_BYTES, packet.length + below(random, 200)));
    for (let at = 0; at < longer.length; at += 1) longer[at] = packet[at] ?? below(random, 256);
    return longer;
  },
  (_, random) => {
    const length = random() < 0.9 ? 1 + below(random, 120) : 1 + below(random, MAX_PACKET_BYTES);
    return Uint8Array.from({ length }, () => below(random, 256));
  },
];

/** Bytes of the samples last decoded, of two channels. */
const heardBy = (decoder: OpusDecoder, duration: number): Buffer =>
  Buffer.from(decoder.pcm.buffer, decoder.pcm.byteOffset, 4 * duration);

describe('OpusDecoder against damaged packets', () => {
  it(`survives ${PACKETS} of them unharmed (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const corpus = makeCorpus();
    const clean = corpus[0]!;
    const traps: string[] = [];
    const codes = new Map<number, number>();
    let decoder = new OpusDecoder(decoderOnly, { channels: 2 });
    const memory = decoder.pcm.buffer.byteLength;
    for (let count = 0; count < PACKETS; count += 1) {
      const original = corpus[below(random, corpus.length)]!;
      const packet = MUTATIONS[count % MUTATIONS.length]!(original, random);
      const turn = random();
      try {
        const result = turn < 0.05 ? decoder.decodeFec(packet, 960) : decoder.decode(packet);
        if (result > MAX_PACKET_DURATION || result === 0) throw new RangeError(`${result} samples`);
        if (result < 0) codes.set(result, (codes.get(result) ?? 0) + 1);
        else if (turn > 0.98) decoder.conceal(960);
      } catch (error) {
        traps.push(`${error} on ${Buffer.from(packet).toString('hex')}`);
        decoder = new OpusDecoder(decoderOnly, { channels: 2 });
        expect(decoder.decode(clean)).toBeGreaterThan(0);
      }
    }
    console.log(
      `seed ${SEED}: ${corpus.length} originals, errors by code`,
      Object.fromEntries(codes),
    );
    expect(traps).toEqual([]);
    expect(codes.size).toBeGreaterThan(0);
    expect(decoder.pcm.buffer.byteLength).toBe(memory);

    // Neither tables nor stack are damaged: after a reset it hears what a new decoder hears.
    decoder.reset();
    const fresh = new OpusDecoder(decoderOnly, { channels: 2 });
    for (const packet of corpus) {
      const duration = fresh.decode(packet);
      expect(decoder.decode(packet)).toBe(duration);
      expect(heardBy(decoder, duration).equals(heardBy(fresh, duration))).toBe(true);
    }
  });
});
