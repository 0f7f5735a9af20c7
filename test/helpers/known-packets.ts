/** Real Opus of which no packet is like another: each is known again wherever it turns up. */
import opus from '@discordjs/opus';
import { readParts } from '../../server/packager/fmp4-read.ts';
import { listed, mediaTextOf } from './hls-text.ts';
import { readOggFile } from './ogg-reader.ts';
import { seededRandom } from './seeded-random.ts';

const SAMPLES = 960;

type PacketOptions = {
  readonly seed: number;
  readonly count?: number;
  /** Mono at 48 kHz, repeated. */
  readonly signal?: Float32Array;
};

/** What became of packets that were published in their order. */
export type Sighting = {
  /** Packets that are there, each counted once. */
  readonly present: number;
  readonly missing: number;
  /** Seen again, or out of their order. */
  readonly repeated: number;
  /** Nothing that was published: silence or concealment. */
  readonly foreign: number;
};

/** Packets of 20 ms, repeated without end. */
export class KnownPackets {
  readonly packets: readonly Buffer[];
  readonly #numbers: ReadonlyMap<string, number>;

  /** Of noise, or of a signal with so little noise under it that it only makes packets differ. */
  constructor({ seed, count = 3000, signal }: PacketOptions) {
    const random = seededRandom(seed);
    const encoder = new opus.OpusEncoder(48_000, 1);
    encoder.setBitrate(signal === undefined ? 64_000 : 96_000);
    const level = signal === undefined ? 20_000 : 40;
    this.packets = Array.from({ length: count }, (_, number) => {
      const pcm = Int16Array.from({ length: SAMPLES }, (_sample, index) => {
        const clean = signal?.[(number * SAMPLES + index) % signal.length] ?? 0;
        return Math.max(-32_768, Math.min(32_767, clean * 32_767 + (random() - 0.5) * level));
      });
      return encoder.encode(Buffer.from(pcm.buffer));
    });
    this.#numbers = new Map(
      this.packets.map((packet, number) => [packet.toString('latin1'), number]),
    );
    if (this.#numbers.size !== count) throw new Error('Two packets are the same.');
  }

  /** Number of a packet within the cycle; undefined for one that is not ours. */
  numberOf(packet: Uint8Array): number | undefined {
    return this.#numbers.get(Buffer.from(packet).toString('latin1'));
  }

  /** Compares what was found, to the bit, with the first `published` packets. */
  judge(found: readonly Uint8Array[], published: number): Sighting {
    const cycle = this.packets.length;
    let [next, present, repeated, foreign] = [0, 0, 0, 0];
    for (const packet of found) {
      const number = this.numberOf(packet);
      if (number === undefined) {
        foreign += 1;
        continue;
      }
      const ahead = (((number - next) % cycle) + cycle) % cycle;
      // Nobody loses half a cycle at once: what seems so far ahead is behind.
      if (ahead > cycle / 2 || next + ahead >= published) repeated += 1;
      else {
        present += 1;
        next += ahead + 1;
      }
    }
    return { present, missing: published - present, repeated, foreign };
  }
}

/** The Opus packets of a recording, and the streams and page numbers it is made of. */
export const recordedIn = (
  file: Buffer,
): { readonly packets: readonly Buffer[]; readonly streams: number; readonly whole: boolean } => {
  const { pages, packets } = readOggFile(file);
  return {
    packets: packets.slice(2),
    streams: new Set(pages.map(({ serial }) => serial)).size,
    whole: pages.every(({ number }, index) => number === index),
  };
};

/** The Opus packets of every whole segment that a playlist of fMP4 lists. */
export const packetsListed = async (text: string, url: string): Promise<Uint8Array[]> => {
  const packets: Uint8Array[] = [];
  for (const { uri } of listed(mediaTextOf(text))) {
    if (uri === null) continue;
    const answer = await fetch(new URL(uri, url));
    if (answer.status !== 200) throw new Error(`${uri} was answered with ${answer.status}.`);
    for (const { units } of readParts(Buffer.from(await answer.arrayBuffer())))
      packets.push(...units.map(({ bytes }) => bytes));
  }
  return packets;
};
