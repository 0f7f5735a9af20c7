/** A publisher in Node that sends real Opus of a real signal at real time, over a real socket. */
import opus from '@discordjs/opus';
import { encodeFrame } from '../../shared/frame.ts';
import { samples } from '../../shared/time.ts';
import { IDENTITIES, measuringSignal } from './measuring-signal.ts';
import { type Door, HELLO, startPublisher, type TestClient } from './service.ts';

const FRAME = 960;

/** The measuring signal as Opus packets, mono at 96 kbit/s: 16 s, to be repeated. */
export const measuringPackets = (): Buffer[] => {
  const pcm = measuringSignal(IDENTITIES, 48_000);
  const encoder = new opus.OpusEncoder(48_000, 1);
  encoder.setBitrate(96_000);
  return Array.from({ length: Math.floor(pcm.length / FRAME) }, (_, index) => {
    const frame = Int16Array.from(pcm.subarray(index * FRAME, (index + 1) * FRAME), (sample) =>
      Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_767))),
    );
    return encoder.encode(Buffer.from(frame.buffer));
  });
};

/** Publishes until stopped; `gap` is a time in which nothing is sent and nothing was captured late. */
export class RealPublisher {
  readonly client: TestClient;
  readonly epoch: number;
  readonly #packets: readonly Buffer[];
  readonly #timer: NodeJS.Timeout;
  readonly #begun = performance.now();
  #sequence: number;
  #held = false;

  private constructor(client: TestClient, epoch: number, next: number, packets: readonly Buffer[]) {
    this.client = client;
    this.epoch = epoch;
    this.#sequence = next;
    this.#packets = packets;
    const began = Date.now();
    client.send({ type: 'clock', epoch, timestamp: next * FRAME, utc: began, uncertainty: 1 });
    const first = next;
    this.#timer = setInterval(() => {
      const due = first + Math.floor((performance.now() - this.#begun) / 20);
      while (!this.#held && this.#sequence < due) this.#send();
    }, 5);
  }

  static async start(
    service: Door,
    {
      hello = {},
      packets = measuringPackets(),
    }: { hello?: object; packets?: readonly Buffer[] } = {},
  ): Promise<RealPublisher> {
    const { client, epoch, next } = await startPublisher(service, { ...HELLO, ...hello });
    return new RealPublisher(client, epoch, next, packets);
  }

  /** Frames sent so far. */
  get sent(): number {
    return this.#sequence;
  }

  /** Holds frames back, as a dropped uplink does; `release` sends them all. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    this.client.send({ type: 'bye' });
    await this.client.ended();
  }

  /** Goes away without a word. */
  vanish(): void {
    clearInterval(this.#timer);
    this.client.close();
  }

  #send(): void {
    const sequence = this.#sequence;
    const packet = this.#packets[sequence % this.#packets.length] as Buffer;
    this.#sequence += 1;
    const header = {
      flags: 0,
      rendition: 0,
      duration: samples(FRAME),
      sequence,
      epoch: this.epoch,
      timestamp: samples(sequence * FRAME),
    };
    this.client.send(encodeFrame(header, packet));
  }
}
