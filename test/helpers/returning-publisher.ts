/** The studio's own uplink in Node, fed with real Opus at real time: it comes back by itself. */
import type { UplinkEvent } from '../../client/net/messages.ts';
import { platform } from '../../client/net/platform.ts';
import { Uplink } from '../../client/net/uplink.ts';
import { millis, samples, utc } from '../../shared/time.ts';
import type { CapturedPacket, EncoderCommand } from '../../worklets/port.ts';
import { HELLO } from './service.ts';

const FRAME = 960;

/** Publishes packets, over and over, until told to end. */
export class ReturningPublisher {
  readonly events: UplinkEvent[] = [];
  readonly #uplink: Uplink;
  readonly #port: MessagePort;
  readonly #packets: readonly Buffer[];
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  constructor(
    { server, token }: { server: string; token: string },
    { packets }: { packets: readonly Buffer[] },
  ) {
    const ports = new MessageChannel();
    this.#packets = packets;
    this.#port = ports.port2;
    this.#port.onmessage = ({ data }: MessageEvent<EncoderCommand>) => {
      if (data.type === 'start') this.#begin(data.run);
    };
    const { type: _, role: __, ...hello } = HELLO;
    const replay = { kept: millis(120_000), spoolAfter: millis(10_000) };
    const publish = { token, ...hello, takeover: false, replay, port: ports.port1 };
    this.#uplink = new Uplink(
      { type: 'publish', server, channel: 'live', ...publish },
      { post: (event) => this.events.push(event), platform },
    );
    this.#uplink.start();
  }

  /** Epochs in which it was on the air, one for each time that the server answered. */
  get epochs(): number[] {
    return this.events.flatMap((event) => (event.type === 'on-air' ? [event.epoch] : []));
  }

  /** Ends the broadcast. */
  end(): void {
    clearInterval(this.#timer);
    this.#uplink.leave();
    this.#port.close();
  }

  #begin(run: number): void {
    const began = performance.now();
    clearInterval(this.#timer);
    this.#count = 0;
    this.#timer = setInterval(() => {
      const due = Math.floor((performance.now() - began) / 20);
      for (; this.#count < due; this.#count += 1) this.#capture(run);
    }, 5);
  }

  #capture(run: number): void {
    const message: CapturedPacket = {
      type: 'packet',
      run,
      flags: 0,
      duration: samples(FRAME),
      timestamp: samples(this.#count * FRAME),
      captured: utc(Date.now()),
      packet: new Uint8Array(this.#packets[this.#count % this.#packets.length] as Buffer),
    };
    this.#port.postMessage(message, [message.packet.buffer]);
  }
}
